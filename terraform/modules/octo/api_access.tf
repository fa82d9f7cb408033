# The role by which Octo reads the account. Octo looks for it by this name; features.tf has its
# policies.

resource "aws_iam_role" "api_access" {
  name                 = local.api_access_role
  description          = local.table.roles[local.api_access_role].description
  assume_role_policy   = local.trust_under_external_id
  max_session_duration = var.max_session_duration
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  lifecycle {
    precondition {
      # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
      condition     = sum([for policy in values(local.api_access_policies) : length(policy)]) <= 10240
      error_message = "The policies of ${local.api_access_role} have more than IAM's 10,240 characters together: leave out some of additional_actions."
    }
  }
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
