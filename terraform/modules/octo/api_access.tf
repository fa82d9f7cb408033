# The role by which Octo reads the account. Octo looks for it by this name.

locals {
  # One readable file per tier; `operations` has a role of its own (operations.tf).
  api_access_policies = {
    for tier in setintersection(var.permission_tiers, ["read", "recommendations"]) :
    "octo-${tier}" => jsonencode(jsondecode(file("${path.module}/policies/${tier}.json")))
  }
}

resource "aws_iam_role" "api_access" {
  name                 = "AlphausAcctAccessRole"
  description          = "Octo reads cost, inventory and organization data."
  assume_role_policy   = local.trust_under_external_id
  max_session_duration = var.max_session_duration
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "api_access" {
  for_each = local.api_access_policies

  name   = each.key
  role   = aws_iam_role.api_access.name
  policy = each.value
}

# Nothing extra survives on the role: leaving a policy out of the configuration would not remove it.
resource "aws_iam_role_policies_exclusive" "api_access" {
  role_name    = aws_iam_role.api_access.name
  policy_names = [for policy in aws_iam_role_policy.api_access : policy.name]
}

resource "aws_iam_role_policy_attachments_exclusive" "api_access" {
  role_name   = aws_iam_role.api_access.name
  policy_arns = []
}
