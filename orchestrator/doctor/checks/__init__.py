"""One module per check of ``octo-tf doctor``; each defines ``CHECK``; the runner imports all."""
