"""Verify a registration: one file per check, run in parallel, collected into a report."""
