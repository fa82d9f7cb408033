# The role by which Octo reads the delivered report. Octo looks for it by this name.

resource "aws_iam_role" "cur" {
  name                 = module.documents.cur_role
  description          = module.documents.roles[module.documents.cur_role].description
  assume_role_policy   = var.cur_role_trust == "external_id" ? module.documents.trusts.external_id : module.documents.trusts.principal_only
  max_session_duration = var.max_session_duration
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "cur" {
  for_each = local.policies

  name   = each.key
  role   = aws_iam_role.cur.name
  policy = each.value
}

resource "aws_iam_role_policies_exclusive" "cur" {
  role_name    = aws_iam_role.cur.name
  policy_names = [for policy in aws_iam_role_policy.cur : policy.name]
}

resource "aws_iam_role_policy_attachments_exclusive" "cur" {
  role_name   = aws_iam_role.cur.name
  policy_arns = []
}
