"""The contract of ``terraform/modules/octo``: inputs, outputs, names, addresses, documents."""
