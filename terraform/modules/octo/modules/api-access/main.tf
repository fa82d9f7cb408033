# The roles by which Octo reads the account, and those that further features need. Octo looks for
# them by their names; role-documents has their policies.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = var.account_id == null || self.account_id == var.account_id
      error_message = "The credentials are those of account ${self.account_id}, not of account_id = ${coalesce(var.account_id, "(none)")}. Nothing was changed."
    }
  }
}

module "documents" {
  source = "../role-documents"

  account_id            = data.aws_caller_identity.current.account_id
  partition             = data.aws_partition.current.partition
  principal             = var.principal
  external_id           = var.external_id
  accepted_external_ids = var.accepted_external_ids
  features              = var.features
  execution_actions     = var.execution_actions
  execution_tag         = var.execution_tag
  additional_actions    = var.additional_actions
}

locals {
  policies = module.documents.policies[module.documents.api_access_role]
  # What the roles that read may do by managed policies: ARN -> document.
  managed_policies = {
    for role in module.documents.reading_roles : role => {
      for name, policy in module.documents.additional_managed_policies :
      "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:policy/${name}" => policy
    }
  }
}

resource "aws_iam_policy" "additional" {
  for_each = module.documents.additional_managed_policies

  name        = each.key
  description = "Reads that Octo's support asked for (additional_actions)."
  policy      = each.value
  tags        = var.tags
}

resource "aws_iam_role" "api_access" {
  name                 = module.documents.api_access_role
  description          = module.documents.roles[module.documents.api_access_role].description
  assume_role_policy   = module.documents.trusts.external_id
  max_session_duration = var.max_session_duration
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "api_access" {
  for_each = local.policies

  name   = each.key
  role   = aws_iam_role.api_access.name
  policy = each.value
}

resource "aws_iam_role_policy_attachment" "api_access" {
  for_each = aws_iam_policy.additional

  role       = aws_iam_role.api_access.name
  policy_arn = each.value.arn
}

# Nothing extra survives on the role: leaving a policy out of the configuration would not remove it.
resource "aws_iam_role_policies_exclusive" "api_access" {
  role_name    = aws_iam_role.api_access.name
  policy_names = [for policy in aws_iam_role_policy.api_access : policy.name]
}

resource "aws_iam_role_policy_attachments_exclusive" "api_access" {
  role_name   = aws_iam_role.api_access.name
  policy_arns = [for attachment in aws_iam_role_policy_attachment.api_access : attachment.policy_arn]
}
