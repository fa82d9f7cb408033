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
# where the type was not given, or the root is needed.
data "aws_organizations_organization" "current" {
  count = var.account_type == null || (var.use_stackset && length(var.stackset_targets) == 0) ? 1 : 0
}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  account_type = coalesce(
    var.account_type,
    try(data.aws_organizations_organization.current[0].master_account_id, null) == local.account_id ? "payer" : "linked",
  )

  # A linked account's billing data is its payer's.
  has_cur = local.account_type != "linked"

  # In an order of their own: nothing changes in AWS when Octo goes over from one to the other.
  external_ids      = sort(distinct(concat([var.external_id], tolist(var.accepted_external_ids))))
  external_id_count = nonsensitive(length(local.external_ids))

  principal_arn = "arn:${local.partition}:iam::${var.principal}:root"

  trust_under_external_id = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OctoUnderExternalId"
      Effect    = "Allow"
      Principal = { AWS = local.principal_arn }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = {
          "sts:ExternalId" = jsondecode(
            local.external_id_count == 1 ? jsonencode(local.external_ids[0]) : jsonencode(local.external_ids)
          )
        }
      }
    }]
  })

  trust_principal_only = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OctoWithoutExternalId"
      Effect    = "Allow"
      Principal = { AWS = local.principal_arn }
      Action    = "sts:AssumeRole"
    }]
  })
}
