"""What was asked for: octo.yaml and flags, read and checked."""
