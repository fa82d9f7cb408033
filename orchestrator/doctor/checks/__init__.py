"""One file per line of ``octo-tf doctor``; each defines ``CHECK`` and is found by its place."""
