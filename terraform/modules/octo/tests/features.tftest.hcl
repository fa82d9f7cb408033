# What each feature adds, and what it leaves out.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_organizations_organization" {
    defaults = { master_account_id = "111122223333" }
  }
}

mock_provider "aws" {
  alias = "cur_bucket"

  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
  mock_data "aws_s3_bucket" {
    defaults = { bucket_regional_domain_name = "bucket.s3.us-east-1.amazonaws.com" }
  }
  mock_data "aws_s3_bucket_policy" {
    defaults = { policy = "{\"Version\":\"2008-10-17\",\"Id\":\"theirs\",\"Statement\":{\"Sid\":\"Theirs\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:DeleteObject\",\"Resource\":\"arn:aws:s3:::existing-bucket/*\"}}" }
  }
}

variables {
  account_id   = "111122223333"
  account_type = "payer"
  external_id  = "octo-external-id"
}

run "by_default_octo_reads_costs" {
  command = plan

  assert {
    condition     = keys(output.api_access.inline_policies) == ["octo-cost"] && keys(output.cur.role.inline_policies) == ["octo-cur-billing", "octo-cur-read"]
    error_message = "The feature cost has a policy on the API access role and two on the CUR role."
  }
  assert {
    condition     = output.api_access.feature_roles == []
    error_message = "Further roles are of features that were chosen."
  }
  assert {
    condition     = output.cur.additional_schema_elements == tolist(["RESOURCES"])
    error_message = "The report has what cost needs."
  }
}

run "by_default_there_is_one_role" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  assert {
    condition     = length(aws_iam_role.feature) == 0 && length(aws_iam_policy.execution_boundary) == 0
    error_message = "Further roles are of features that were chosen."
  }
}

run "recommendations_are_read_by_both_roles" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  variables {
    features             = ["cost", "recommendations"]
    permissions_boundary = "arn:aws:iam::111122223333:policy/Boundary"
  }

  assert {
    condition     = keys(output.api_access.inline_policies) == ["octo-cost", "octo-recommendations"]
    error_message = "One policy per feature."
  }
  assert {
    condition     = keys(aws_iam_role.feature) == ["OctoRecommendationSearcherRole"] && aws_iam_role_policy.feature["OctoRecommendationSearcherRole/octo-recommendations"].policy == output.api_access.inline_policies["octo-recommendations"]
    error_message = "The searcher role reads the same."
  }
  assert {
    condition     = jsondecode(nonsensitive(aws_iam_role.feature["OctoRecommendationSearcherRole"].assume_role_policy)).Statement[0].Condition == { StringEquals = { "sts:ExternalId" = "octo-external-id" } }
    error_message = "Octo gets in under the external id only."
  }
  assert {
    condition     = aws_iam_role.feature["OctoRecommendationSearcherRole"].permissions_boundary == "arn:aws:iam::111122223333:policy/Boundary"
    error_message = "The given boundary bounds every role."
  }
}

run "every_feature_together_stays_within_the_limit_of_inline_policies" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  variables {
    features             = ["cost", "recommendations", "container_cost", "unit_metrics", "ai_cost", "execution"]
    execution_actions    = ["abort_s3_uploads", "delete_ebs", "delete_load_balancer", "delete_rds", "release_address", "rightsize_ec2", "rightsize_ecs", "rightsize_lambda", "stop_ec2", "stop_rds", "terminate_ec2", "upgrade_ebs"]
    execution_may_delete = true
    execution_tag        = { "octo:${join("", [for n in range(120) : "k"])}" = join("", [for n in range(50) : "value"]) }
  }

  assert {
    condition     = keys(output.api_access.inline_policies) == ["octo-ai-cost", "octo-cost", "octo-recommendations", "octo-unit-metrics"]
    error_message = "One policy per feature that needs one."
  }
  assert {
    condition     = sum([for policy in values(output.api_access.inline_policies) : length(policy)]) < 10240
    error_message = "IAM's limit for a role's inline policies."
  }
  assert {
    condition     = alltrue([for role in output.api_access.feature_roles : sum([for policy in values(role.inline_policies) : length(policy)]) < 10240])
    error_message = "IAM's limit holds for each role, with every action and the longest tag."
  }
  assert {
    condition     = length(aws_iam_policy.execution_boundary[0].policy) < 6144
    error_message = "IAM's limit for a managed policy."
  }
}

run "container_costs_need_their_part_of_the_report" {
  command = plan

  variables {
    features = ["cost", "container_cost"]
  }

  assert {
    condition     = output.cur.additional_schema_elements == tolist(["RESOURCES", "SPLIT_COST_ALLOCATION_DATA"]) && keys(output.api_access.inline_policies) == ["octo-cost"]
    error_message = "An element of the report, and no permission."
  }
}

run "execution_has_exactly_the_chosen_actions" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  variables {
    features          = ["cost", "execution"]
    execution_actions = ["stop_ec2"]
  }

  assert {
    condition     = keys(aws_iam_role.feature) == ["OctoChangeExecutorRole", "OctoChangeTemplateApproverRole", "OctoSSMUpdaterRole"] && keys(output.api_access.inline_policies) == ["octo-cost"]
    error_message = "Three roles, by the names that Octo looks for; the reading role stays a reading role."
  }
  assert {
    condition = toset(flatten(jsondecode(aws_iam_role_policy.feature["OctoChangeExecutorRole/octo-change-executor"].policy).Statement[*].Action)) == toset([
      "ec2:DescribeInstanceStatus", "ec2:DescribeInstances", "ec2:StopInstances", "iam:PassRole", "ssm:DescribeAutomationExecutions",
      "ssm:DescribeAutomationStepExecutions", "ssm:GetAutomationExecution", "ssm:StartAutomationExecution",
    ])
    error_message = "The executor does what was chosen, and what Systems Manager itself needs."
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.feature["OctoChangeExecutorRole/octo-change-executor"].policy).Statement : s if s.Sid == "StopEc20"] == [{ Sid = "StopEc20", Effect = "Allow", Action = ["ec2:StopInstances"], Resource = ["arn:aws:ec2:*:111122223333:instance/*"] }]
    error_message = "On the account's own instances."
  }
  assert {
    condition = alltrue([
      for role in ["OctoChangeExecutorRole/octo-change-executor", "OctoSSMUpdaterRole/octo-ssm-updater"] : alltrue([
        for s in jsondecode(aws_iam_role_policy.feature[role].policy).Statement :
        s.Resource == "arn:aws:iam::111122223333:role/OctoChangeExecutorRole" && s.Condition.StringEquals["iam:PassedToService"] == "ssm.amazonaws.com"
        if s.Action == "iam:PassRole"
      ])
    ])
    error_message = "PassRole is for one role and one service."
  }
  assert {
    condition     = jsondecode(aws_iam_role.feature["OctoChangeExecutorRole"].assume_role_policy).Statement[0].Principal == { Service = "ssm.amazonaws.com" } && jsondecode(aws_iam_role.feature["OctoChangeExecutorRole"].assume_role_policy).Statement[0].Condition.StringEquals == { "aws:SourceAccount" = "111122223333" }
    error_message = "Octo cannot assume the executor: Systems Manager of this account does."
  }
  assert {
    condition     = jsondecode(aws_iam_role.feature["OctoChangeTemplateApproverRole"].assume_role_policy).Statement[0].Principal == { AWS = "arn:aws:iam::111122223333:root" }
    error_message = "Octo cannot approve its own templates."
  }
  assert {
    condition     = length(aws_iam_policy.execution_boundary) == 1
    error_message = "There is always a boundary."
  }
}

run "execution_keeps_to_a_tag" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  variables {
    features             = ["cost", "execution"]
    execution_actions    = ["stop_ec2"]
    execution_tag        = { octo = "may stop" }
    permissions_boundary = "arn:aws:iam::111122223333:policy/Boundary"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.feature["OctoChangeExecutorRole/octo-change-executor"].policy).Statement : s.Condition if s.Sid == "StopEc20"] == [{ StringEquals = { "aws:ResourceTag/octo" = "may stop" } }]
    error_message = "Only what has the tag may be changed."
  }
  assert {
    condition     = length(aws_iam_policy.execution_boundary) == 0 && alltrue([for role in aws_iam_role.feature : role.permissions_boundary == "arn:aws:iam::111122223333:policy/Boundary"])
    error_message = "A given boundary bounds every role."
  }
}

run "additional_actions_are_for_the_roles_that_read" {
  command = plan

  variables {
    features           = ["cost", "recommendations"]
    additional_actions = ["rds:DescribeDBProxies"]
  }

  assert {
    condition     = jsondecode(output.api_access.inline_policies["octo-additional"]).Statement[0].Action == ["rds:DescribeDBProxies"] && contains(keys(output.api_access.feature_roles[0].inline_policies), "octo-additional")
    error_message = "Both roles by which Octo may read have them."
  }
  assert {
    condition     = !contains(keys(output.cur.role.inline_policies), "octo-additional")
    error_message = "The CUR role does not."
  }
}

run "additional_actions_beyond_the_limit_of_inline_policies_are_managed_policies" {
  command = plan

  variables {
    features           = ["cost", "recommendations", "unit_metrics", "ai_cost"]
    additional_actions = [for n in range(300) : "rds:DescribeDBProxies${n}"]
  }

  assert {
    condition     = keys(output.api_access.managed_policies) == ["arn:aws:iam::111122223333:policy/OctoAdditional1", "arn:aws:iam::111122223333:policy/OctoAdditional2"] && output.api_access.feature_roles[0].managed_policies == output.api_access.managed_policies
    error_message = "Both roles by which Octo may read share them."
  }
  assert {
    condition     = alltrue([for policy in values(output.api_access.managed_policies) : length(policy) <= 6144]) && length(flatten([for policy in values(output.api_access.managed_policies) : jsondecode(policy).Statement[0].Action])) == 300
    error_message = "Each is within IAM's limit, and they have every action."
  }
  assert {
    condition     = !contains(keys(output.api_access.inline_policies), "octo-additional")
    error_message = "They are in no inline policy."
  }
}

run "more_than_ten_managed_policies_of_additional_actions_are_refused" {
  command = plan

  variables {
    additional_actions = [for n in range(1000) : "rds:Describe${join("", [for m in range(5) : "DBProxiesOf"])}${n}"]
  }

  expect_failures = [var.additional_actions]
}
