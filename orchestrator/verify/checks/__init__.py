"""One module per check; each defines ``CHECK``, and the runner imports them all."""
