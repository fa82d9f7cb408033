# Who the caller is, and what the account needs.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = var.account_id == null || self.account_id == var.account_id
      error_message = "The credentials are those of account ${self.account_id}, not of account_id = ${coalesce(var.account_id, "(none)")}. Nothing was changed."
    }
  }
}

# Fails on a standalone account and lists every account of the organization, so it is read only
# where the type was not given (modules/linked-accounts reads it where the root is needed).
data "aws_organizations_organization" "current" {
  count = var.account_type == null ? 1 : 0

  lifecycle {
    postcondition {
      condition     = !var.use_stackset || self.master_account_id == data.aws_caller_identity.current.account_id
      error_message = "use_stackset is for a payer (the management account): this account is linked. Set use_stackset = false here."
    }
  }
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  account_type = coalesce(
    var.account_type,
    try(data.aws_organizations_organization.current[0].master_account_id, null) == local.account_id ? "payer" : "linked",
  )
}
