"""Octo's own API, as the sandbox plays it: tokens, registered accounts, and real probes of AWS."""
