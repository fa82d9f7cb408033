"""Values without I/O: the registration, the account, the module's outputs, coverage."""
