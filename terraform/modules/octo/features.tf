# Which of Octo's roles exist, and what each may do, by the chosen features: features.yaml says it.
# The API access role and the CUR role have files of their own; the other roles are made here.

locals {
  table = yamldecode(file("${path.module}/features.yaml"))

  # The same policies are made for this account and, in CloudFormation's words, for linked ones.
  policy_scopes = {
    account = {
      features   = var.features
      account_id = local.account_id
      partition  = local.partition
    }
    linked = {
      features   = var.stackset_features == null ? setsubtract(var.features, ["execution"]) : var.stackset_features
      account_id = "$${AWS::AccountId}"
      partition  = "$${AWS::Partition}"
    }
  }

  api_access_role = "AlphausAcctAccessRole"
  cur_role        = "AlphausAcctAccessCurRole"
  executor_role   = "OctoChangeExecutorRole"

  # What the executor may do: exactly the chosen actions, on resources with the tag if there is one.
  execution_statements = {
    for scope, values in local.policy_scopes : scope => concat(
      [{
        Sid      = "Look"
        Effect   = "Allow"
        Action   = sort(distinct(flatten([for name in var.execution_actions : local.table.execution_actions[name].reads])))
        Resource = "*"
      }],
      flatten([
        for name in sort(var.execution_actions) : [
          for number, change in local.table.execution_actions[name].changes : merge(
            {
              Sid      = "${join("", [for word in split("_", name) : title(word)])}${number}"
              Effect   = "Allow"
              Action   = change.actions
              Resource = [for arn in change.resources : "arn:${values.partition}:${replace(arn, "{account}", values.account_id)}"]
            },
            # One condition for each tag; without a tag, or where AWS looks at none, no condition.
            { for key, value in var.execution_tag : "Condition" => { StringEquals = { "aws:ResourceTag/${key}" = value } } if change.tagged },
          )
        ]
      ]),
    )
  }

  # role -> policy -> document, as text without white space.
  feature_policies = {
    for scope, values in local.policy_scopes : scope => {
      for role in keys(local.table.roles) : role => {
        for policy, text in merge([
          for feature in values.features : {
            for policy, file in try(local.table.features[feature].roles[role], {}) : policy => templatefile("${path.module}/policies/${file}", {
              account_id = values.account_id
              partition  = values.partition
              bucket_arn = local.bucket_arn
              prefix     = local.delivery.prefix
            })
          }
          ]...) : policy => jsonencode({
          Version   = "2012-10-17"
          Statement = concat(jsondecode(text).Statement, [for statement in local.execution_statements[scope] : statement if role == local.executor_role])
        })
      }
    }
  }

  role_policies = {
    for scope, roles in local.feature_policies : scope => {
      for role, policies in roles : role => merge(
        policies,
        {
          for name in ["octo-additional"] : name => local.additional_policy
          if contains(local.reading_roles, role) && length(var.additional_actions) > 0 && !local.additional_is_managed[scope]
        },
      ) if length(policies) > 0
    }
  }

  api_access_policies = local.role_policies.account[local.api_access_role]
  cur_policies        = local.role_policies.account[local.cur_role]

  # What they may do by managed policies: ARN -> document.
  managed_policies = {
    for role in local.reading_roles : role => {
      for name, policy in local.additional_managed_policies.account : "arn:${local.partition}:iam::${local.account_id}:policy/${name}" => policy
    }
  }

  # The roles that only some features need.
  feature_roles = {
    for role, policies in local.role_policies.account : role => policies if !contains([local.api_access_role, local.cur_role], role)
  }
  feature_role_policies = merge([
    for role, policies in local.feature_roles : {
      for name, policy in policies : "${role}/${name}" => { role = role, name = name, policy = policy }
    }
  ]...)

  feature_attachments = merge([
    for role in local.reading_roles : {
      for name in keys(local.additional_managed_policies.account) : "${role}/${name}" => { role = role, policy = name }
    } if contains(keys(local.feature_roles), role)
  ]...)

  executes = contains(var.features, "execution")

  # https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
  feature_trusts = {
    external_id = local.trust_under_external_id
    systems_manager = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "SystemsManagerOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "ssm.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = local.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ssm:*:${local.account_id}:automation-execution/*" }
        }
      }]
    })
    account = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "PeopleOfThisAccount"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "sts:AssumeRole"
      }]
    })
  }

  execution_roles = keys(local.table.features.execution.roles)
  # The roles of execution are always bounded.
  feature_boundaries = {
    for role in keys(local.feature_roles) : role => (
      contains(local.execution_roles, role) ? coalesce(var.permissions_boundary, one(aws_iam_policy.execution_boundary[*].arn)) : var.permissions_boundary
    )
  }

  execution_boundary_name = "OctoExecutionBoundary"
}

resource "aws_iam_policy" "execution_boundary" {
  count = local.executes && var.permissions_boundary == null ? 1 : 0

  name        = local.execution_boundary_name
  description = "The most that Octo's roles of execution can ever do."
  policy = jsonencode(jsondecode(templatefile("${path.module}/policies/execution_boundary.json.tftpl", {
    account_id = local.account_id
    partition  = local.partition
  })))
  tags = var.tags
}

resource "aws_iam_role" "feature" {
  for_each = local.feature_roles

  name                 = each.key
  description          = local.table.roles[each.key].description
  assume_role_policy   = local.feature_trusts[local.table.roles[each.key].trust]
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
