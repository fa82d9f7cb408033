"""Proves a registration: one file per check, run side by side, put together into a report."""
