"""Check whether this machine and these credentials are ready for a run; nothing is changed."""
