"""Adoption: existing resources are imported as they are, and released by their owner."""
