"""Terraform: found, run, and read through its own machine-readable output."""
