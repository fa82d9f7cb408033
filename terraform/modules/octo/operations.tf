# The opt-in tier that can change something: a role of its own, under a permissions boundary.
# It starts AWS-owned Systems Manager automations, which act under a second role that only
# Systems Manager can use. Neither can write IAM, read secrets or change the organization.

locals {
  has_operations = contains(var.permission_tiers, "operations")

  operations_names = {
    role       = "AlphausAcctAccessOperationsRole"
    automation = "AlphausOctoAutomationRole"
    boundary   = "AlphausOctoOperationsBoundary"
  }

  operations_values = {
    partition       = local.partition
    account_id      = local.account_id
    automation_role = local.operations_names.automation
  }

  operations_policies = {
    octo-operations = jsonencode(jsondecode(templatefile("${path.module}/policies/operations.json.tftpl", local.operations_values)))
  }

  operations_boundary = local.has_operations ? coalesce(var.permissions_boundary, one(aws_iam_policy.operations_boundary[*].arn), "none") : null
}

resource "aws_iam_policy" "operations_boundary" {
  count = local.has_operations && var.permissions_boundary == null ? 1 : 0

  name        = local.operations_names.boundary
  description = "The most that Octo's operations roles can ever do."
  policy      = jsonencode(jsondecode(templatefile("${path.module}/policies/operations_boundary.json.tftpl", local.operations_values)))
  tags        = var.tags
}

resource "aws_iam_role" "operations" {
  count = local.has_operations ? 1 : 0

  name                 = local.operations_names.role
  description          = "Octo starts, stops and resizes through Systems Manager."
  assume_role_policy   = local.trust_under_external_id
  permissions_boundary = local.operations_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "operations" {
  for_each = { for name, policy in local.operations_policies : name => policy if local.has_operations }

  name   = each.key
  role   = aws_iam_role.operations[0].name
  policy = each.value
}

resource "aws_iam_role_policies_exclusive" "operations" {
  count = local.has_operations ? 1 : 0

  role_name    = aws_iam_role.operations[0].name
  policy_names = [for policy in aws_iam_role_policy.operations : policy.name]
}

resource "aws_iam_role_policy_attachments_exclusive" "operations" {
  count = local.has_operations ? 1 : 0

  role_name   = aws_iam_role.operations[0].name
  policy_arns = []
}

resource "aws_iam_role" "automation" {
  count = local.has_operations ? 1 : 0

  name        = local.operations_names.automation
  description = "Systems Manager starts, stops and resizes for Octo."
  # https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
  assume_role_policy = jsonencode({
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
  permissions_boundary = local.operations_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "automation" {
  count = local.has_operations ? 1 : 0

  name   = "octo-automation"
  role   = aws_iam_role.automation[0].name
  policy = jsonencode(jsondecode(templatefile("${path.module}/policies/automation.json.tftpl", local.operations_values)))
}

resource "aws_iam_role_policies_exclusive" "automation" {
  count = local.has_operations ? 1 : 0

  role_name    = aws_iam_role.automation[0].name
  policy_names = [aws_iam_role_policy.automation[0].name]
}

resource "aws_iam_role_policy_attachments_exclusive" "automation" {
  count = local.has_operations ? 1 : 0

  role_name   = aws_iam_role.automation[0].name
  policy_arns = []
}
