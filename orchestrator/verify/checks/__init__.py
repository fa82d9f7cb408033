"""One file per check, found by its place; each defines ``CHECK``."""
