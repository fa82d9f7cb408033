terraform {
  # Validations that refer to other variables need Terraform 1.9.
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 5.68.0 brought aws_iam_role_policies_exclusive and ..._attachments_exclusive.
      version = ">= 5.68.0, < 7.0.0"
      # The CUR bucket's region may differ; pass the same provider twice where it does not.
      configuration_aliases = [aws.cur_bucket]
    }
  }
}

locals {
  module_version = "0.1.0"
}
