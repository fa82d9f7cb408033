terraform {
  # Validations that refer to other variables need Terraform 1.9.
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The ..._exclusive resources of IAM came during 5.6x and 5.7x; tried with 5.100.0.
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}
