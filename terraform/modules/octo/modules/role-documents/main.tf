# What Octo's roles may do, and who may assume them, by the chosen features: features.yaml says it.
# The same documents are made for an account and, in CloudFormation's words, for linked ones. No
# README: only the modules beside this one use it.

locals {
  table = yamldecode(file("${path.module}/../../features.yaml"))

  api_access_role = "AlphausAcctAccessRole"
  cur_role        = "AlphausAcctAccessCurRole"
  executor_role   = "OctoChangeExecutorRole"
  # What the executor may do: exactly the chosen actions, on resources with the tag if there is one.
  execution_statements = concat(
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
            Resource = [for arn in change.resources : "arn:${var.partition}:${replace(arn, "{account}", var.account_id)}"]
          },
          # One condition for each tag; without a tag, or where AWS looks at none, no condition.
          { for key, value in var.execution_tag : "Condition" => { StringEquals = { "aws:ResourceTag/${key}" = value } } if change.tagged },
        )
      ]
    ]),
  )

  # role -> policy -> document, as text without white space.
  feature_policies = {
    for role in keys(local.table.roles) : role => {
      for policy, text in merge([
        for feature in var.features : {
          for policy, file in try(local.table.features[feature].roles[role], {}) : policy => templatefile("${path.module}/../../policies/${file}", {
            account_id = var.account_id
            partition  = var.partition
            bucket_arn = var.bucket_arn
            prefix     = var.prefix
          })
        }
        ]...) : policy => jsonencode({
        Version   = "2012-10-17"
        Statement = concat(jsondecode(text).Statement, [for statement in local.execution_statements : statement if role == local.executor_role])
      })
    }
  }

  # Only the roles that the features need.
  policies = {
    for role, policies in local.feature_policies : role => merge(
      policies,
      {
        for name in ["octo-additional"] : name => local.additional_policy
        if contains(local.reading_roles, role) && length(var.additional_actions) > 0 && !local.additional_is_managed
      },
    ) if length(policies) > 0
  }

  # In an order of their own: nothing changes in AWS when Octo goes over from one to the other.
  external_ids      = sort(distinct(concat([var.external_id], tolist(var.accepted_external_ids))))
  external_id_count = nonsensitive(length(local.external_ids))

  principal_arn = "arn:${var.partition}:iam::${var.principal}:root"

  # https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
  trusts = {
    external_id = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OctoUnderExternalId"
        Effect    = "Allow"
        Principal = { AWS = local.principal_arn }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = {
            "sts:ExternalId" = jsondecode(
              local.external_id_count == 1 ? jsonencode(local.external_ids[0]) : jsonencode(local.external_ids)
            )
          }
        }
      }]
    })
    principal_only = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OctoWithoutExternalId"
        Effect    = "Allow"
        Principal = { AWS = local.principal_arn }
        Action    = "sts:AssumeRole"
      }]
    })
    systems_manager = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "SystemsManagerOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "ssm.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = var.account_id }
          ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:ssm:*:${var.account_id}:automation-execution/*" }
        }
      }]
    })
    account = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "PeopleOfThisAccount"
        Effect    = "Allow"
        Principal = { AWS = "arn:${var.partition}:iam::${var.account_id}:root" }
        Action    = "sts:AssumeRole"
      }]
    })
  }

  execution_boundary = jsonencode(jsondecode(templatefile("${path.module}/../../policies/execution_boundary.json.tftpl", {
    account_id = var.account_id
    partition  = var.partition
  })))
}
