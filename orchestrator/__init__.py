"""octo-tf: registers AWS accounts with Octo by Terraform, and proves it."""

__version__ = "0.1.0"
