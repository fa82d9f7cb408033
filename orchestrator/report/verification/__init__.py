"""Formats of a verification: its checks, and the status of each area."""
