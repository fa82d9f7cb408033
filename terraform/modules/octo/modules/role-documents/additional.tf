# The actions of additional_actions, for the roles by which Octo reads: an inline policy of each
# while that fits, else customer-managed policies, which the roles share. IAM allows 10,240
# characters of inline policies per role, 6,144 of a managed policy, and ten of them on a role.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

locals {
  # From outside it is not known which of the two the service reads by.
  reading_roles = [local.api_access_role, "OctoRecommendationSearcherRole"]

  additional_actions   = sort(var.additional_actions)
  additional_statement = { Sid = "AdditionalReads", Effect = "Allow", Resource = "*" }
  additional_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge(local.additional_statement, { Action = local.additional_actions })]
  })

  # The policies of all features are within the limit (octo-tf's tests): only these can exceed it.
  additional_is_managed = anytrue([
    for role in local.reading_roles :
    length(join("", concat(values(local.feature_policies[role]), [local.additional_policy]))) > 10240 if length(local.feature_policies[role]) > 0
  ])

  # How long the list is with each action, its quotes and comma: a part has less than 5,800 of that
  # and one action of at most 157, and the rest of the policy has about 110.
  additional_lengths = [
    for index, action in local.additional_actions :
    length(join("\",\"", slice(local.additional_actions, 0, index + 1))) + 3
  ]
  additional_parts = {
    for index, action in local.additional_actions : floor(local.additional_lengths[index] / 5800) => action...
  }
  additional_managed_policies = {
    for part, actions in local.additional_parts : "OctoAdditional${part + 1}" => jsonencode({
      Version   = "2012-10-17"
      Statement = [merge(local.additional_statement, { Action = actions })]
    }) if local.additional_is_managed
  }
}
