"""Octo's API in the sandbox: tokens, registered accounts, and real probes of AWS."""
