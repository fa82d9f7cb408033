"""Octo's side of a registration, behind one small interface."""
