# The Cost and Usage Report, its bucket, and the role that reads it: who the caller is, and what the
# role may do.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = var.account_id == null || self.account_id == var.account_id
      error_message = "The credentials are those of account ${self.account_id}, not of account_id = ${coalesce(var.account_id, "(none)")}. Nothing was changed."
    }
  }
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  policies   = module.documents.policies[module.documents.cur_role]
}

module "documents" {
  source = "../role-documents"

  account_id            = local.account_id
  partition             = local.partition
  principal             = var.principal
  external_id           = var.external_id
  accepted_external_ids = var.accepted_external_ids
  features              = var.features
  bucket_arn            = local.bucket_arn
  prefix                = local.delivery.prefix
}
