"""Formats of a discovery: what exists in an account, before anything is decided."""
