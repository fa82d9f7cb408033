"""Formats of a plan under review: addresses, actions and the guard's verdict, never values."""
