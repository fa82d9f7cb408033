# The role by which Octo reads the delivered report. Octo looks for it by this name; features.tf
# has its policies.

resource "aws_iam_role" "cur" {
  count = local.has_cur ? 1 : 0

  name                 = local.cur_role
  description          = local.table.roles[local.cur_role].description
  assume_role_policy   = var.cur_role_trust == "external_id" ? local.trust_under_external_id : local.trust_principal_only
  max_session_duration = var.max_session_duration
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "cur" {
  for_each = { for name, policy in local.cur_policies : name => policy if local.has_cur }

  name   = each.key
  role   = aws_iam_role.cur[0].name
  policy = each.value
}

resource "aws_iam_role_policies_exclusive" "cur" {
  count = local.has_cur ? 1 : 0

  role_name    = aws_iam_role.cur[0].name
  policy_names = [for policy in aws_iam_role_policy.cur : policy.name]
}

resource "aws_iam_role_policy_attachments_exclusive" "cur" {
  count = local.has_cur ? 1 : 0

  role_name   = aws_iam_role.cur[0].name
  policy_arns = []
}
