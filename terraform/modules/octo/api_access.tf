# The role by which Octo reads the account. Octo looks for it by this name; features.tf has its
# policies.

resource "aws_iam_role" "api_access" {
  name                 = local.api_access_role
  description          = local.table.roles[local.api_access_role].description
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
