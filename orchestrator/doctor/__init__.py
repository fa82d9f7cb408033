"""Whether this machine and these credentials are ready, line by line, before anything is tried."""
