"""What is in an account, before anything is decided: for people and for programs."""
