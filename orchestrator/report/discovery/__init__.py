"""The resources for Octo in an account, for people and for programs."""
