# The roles that only some features need.

locals {
  feature_roles = {
    for role, policies in module.documents.policies : role => policies
    if !contains([module.documents.api_access_role, module.documents.cur_role], role)
  }
  feature_role_policies = merge([
    for role, policies in local.feature_roles : {
      for name, policy in policies : "${role}/${name}" => { role = role, name = name, policy = policy }
    }
  ]...)

  feature_attachments = merge([
    for role in module.documents.reading_roles : {
      for name in keys(module.documents.additional_managed_policies) : "${role}/${name}" => { role = role, policy = name }
    } if contains(keys(local.feature_roles), role)
  ]...)

  # The roles of execution are always bounded.
  feature_boundaries = {
    for role in keys(local.feature_roles) : role => (
      contains(module.documents.execution_roles, role) ? coalesce(var.permissions_boundary, one(aws_iam_policy.execution_boundary[*].arn)) : var.permissions_boundary
    )
  }
}

resource "aws_iam_policy" "execution_boundary" {
  count = contains(var.features, "execution") && var.permissions_boundary == null ? 1 : 0

  name        = module.documents.execution_boundary_name
  description = "The most that Octo's roles of execution can ever do."
  policy      = module.documents.execution_boundary
  tags        = var.tags
}

resource "aws_iam_role" "feature" {
  for_each = local.feature_roles

  name                 = each.key
  description          = module.documents.roles[each.key].description
  assume_role_policy   = module.documents.trusts[module.documents.roles[each.key].trust]
  max_session_duration = var.max_session_duration
  permissions_boundary = local.feature_boundaries[each.key]
  tags                 = var.tags
}

resource "aws_iam_role_policy" "feature" {
  for_each = local.feature_role_policies

  name   = each.value.name
  role   = aws_iam_role.feature[each.value.role].name
  policy = each.value.policy
}

resource "aws_iam_role_policy_attachment" "feature" {
  for_each = local.feature_attachments

  role       = aws_iam_role.feature[each.value.role].name
  policy_arn = aws_iam_policy.additional[each.value.policy].arn
}

resource "aws_iam_role_policies_exclusive" "feature" {
  for_each = local.feature_roles

  role_name    = aws_iam_role.feature[each.key].name
  policy_names = [for key, policy in local.feature_role_policies : aws_iam_role_policy.feature[key].name if policy.role == each.key]
}

resource "aws_iam_role_policy_attachments_exclusive" "feature" {
  for_each = local.feature_roles

  role_name   = aws_iam_role.feature[each.key].name
  policy_arns = [for key, name in local.feature_attachments : aws_iam_role_policy_attachment.feature[key].policy_arn if name.role == each.key]
}
