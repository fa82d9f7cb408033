# The same object as the output of this name of the module around it. It does not reveal the external id.

output "api_access" {
  description = "The API access role with its policies, the chosen features, and the further roles that they need."
  value = {
    role_name            = aws_iam_role.api_access.name
    role_arn             = aws_iam_role.api_access.arn
    principal            = var.principal
    external_id_count    = module.documents.external_id_count
    features             = sort(var.features)
    inline_policies      = local.policies
    managed_policies     = local.managed_policies[module.documents.api_access_role]
    permissions_boundary = var.permissions_boundary
    # Boundaries not by the resources: an imported role without one has "".
    feature_roles = [
      for role, policies in local.feature_roles : {
        role_name            = aws_iam_role.feature[role].name
        role_arn             = aws_iam_role.feature[role].arn
        trust                = module.documents.roles[role].trust
        inline_policies      = policies
        managed_policies     = lookup(local.managed_policies, role, {})
        permissions_boundary = local.feature_boundaries[role]
      }
    ]
  }
}
