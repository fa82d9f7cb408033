# API access in linked accounts: what is made, for whom, and that it is the payer's own access.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
  mock_data "aws_organizations_organization" {
    defaults = {
      master_account_id = "111122223333"
      roots             = [{ arn = "", id = "r-abcd", name = "Root", policy_types = [] }]
    }
  }
}

mock_provider "aws" {
  alias = "cur_bucket"

  mock_data "aws_region" {
    defaults = { id = "us-east-1" }
  }
}

variables {
  account_id   = "111122223333"
  account_type = "payer"
  external_id  = "octo-external-id"
  use_stackset = true
}

run "the_root_is_the_target_by_default" {
  command = plan

  module {
    source = "./modules/linked-accounts"
  }

  assert {
    condition     = keys(aws_cloudformation_stack_set_instance.api_access) == ["r-abcd"]
    error_message = "Without targets, the whole organization is one."
  }
  assert {
    condition     = aws_cloudformation_stack_set.api_access.permission_model == "SERVICE_MANAGED" && aws_cloudformation_stack_set.api_access.capabilities == toset(["CAPABILITY_NAMED_IAM"])
    error_message = "A role with a name needs its capability."
  }
  assert {
    condition     = aws_cloudformation_stack_set.api_access.auto_deployment[0].enabled && aws_cloudformation_stack_set.api_access.managed_execution[0].active
    error_message = "Accounts that join are deployed to; operations wait for each other."
  }
  assert {
    condition     = one(output.stackset.targets) == "r-abcd" && output.stackset.retain_stacks
    error_message = "The outputs say what the verifier looks for."
  }
}

run "each_target_is_a_resource_of_its_own" {
  command = plan

  module {
    source = "./modules/linked-accounts"
  }

  variables {
    stackset_targets = ["ou-abcd-22222222", "ou-abcd-11111111"]
  }

  assert {
    condition     = keys(aws_cloudformation_stack_set_instance.api_access) == ["ou-abcd-11111111", "ou-abcd-22222222"]
    error_message = "Taking one target away must not touch another."
  }
  assert {
    condition     = length(data.aws_organizations_organization.current) == 0
    error_message = "The organization is not read when type and targets were given."
  }
}

run "excluded_accounts_are_left_out" {
  command = plan

  module {
    source = "./modules/linked-accounts"
  }

  variables {
    stackset_excluded_accounts = ["444455556666"]
  }

  assert {
    condition     = aws_cloudformation_stack_set_instance.api_access["r-abcd"].deployment_targets[0].account_filter_type == "DIFFERENCE" && aws_cloudformation_stack_set_instance.api_access["r-abcd"].deployment_targets[0].accounts == toset(["444455556666"])
    error_message = "Everybody but the excluded."
  }
}

run "one_source_for_the_payers_role_and_the_stacks" {
  command = plan

  variables {
    features = ["cost", "recommendations"]
  }

  assert {
    condition = {
      for policy in jsondecode(output.stackset.template).Resources.ApiAccessRole.Properties.Policies :
      policy.PolicyName => policy.PolicyDocument
    } == { for name, policy in output.api_access.inline_policies : name => jsondecode(policy) }
    error_message = "The stacks' policies are the payer's, one by one."
  }
  assert {
    condition     = jsondecode(output.stackset.template).Resources.RecommendationSearcherRole.Properties.RoleName == "OctoRecommendationSearcherRole"
    error_message = "Each linked account has the roles of the features."
  }
  assert {
    condition     = !strcontains(output.stackset.template, "octo-external-id")
    error_message = "The template holds no external id: outputs and reports may show it."
  }
}

run "every_parameter_of_the_template_is_set" {
  command = plan

  module {
    source = "./modules/linked-accounts"
  }

  assert {
    condition     = toset(keys(jsondecode(output.stackset.template).Parameters)) == toset(keys(aws_cloudformation_stack_set.api_access.parameters))
    error_message = "Every parameter of the template is set: the provider plans a change for each that is not."
  }
}

run "a_changing_external_id_is_accepted_beside_the_present_one" {
  command = plan

  variables {
    accepted_external_ids = ["octo-external-id", "a-new-one, with a comma"]
  }
  expect_failures = [var.accepted_external_ids]
}

run "linked_accounts_accept_both_external_ids" {
  command = plan

  module {
    source = "./modules/linked-accounts"
  }

  variables {
    accepted_external_ids = ["octo-external-id", "a,new:one"]
  }

  assert {
    condition     = jsondecode(output.stackset.template).Resources.ApiAccessRole.Properties.AssumeRolePolicyDocument.Statement[0].Condition.StringEquals["sts:ExternalId"] == [{ Ref = "ExternalId" }, { Ref = "ExternalId2" }]
    error_message = "The roles of linked accounts accept both."
  }
  assert {
    condition     = nonsensitive(aws_cloudformation_stack_set.api_access.parameters) == tomap({ ExternalId = "a,new:one", ExternalId2 = "octo-external-id", Principal = "131920598436" })
    error_message = "Each id is a parameter of its own, in an order that does not depend on which one Octo presents."
  }
  assert {
    condition     = !strcontains(output.stackset.template, "octo-external-id") && !strcontains(output.stackset.template, "a,new:one")
    error_message = "The template holds no external id: outputs and reports may show it."
  }
}

run "the_payers_roles_accept_both_external_ids" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  variables {
    accepted_external_ids = ["octo-external-id", "a,new:one"]
  }

  assert {
    condition     = toset(jsondecode(aws_iam_role.api_access.assume_role_policy).Statement[0].Condition.StringEquals["sts:ExternalId"]) == toset(["octo-external-id", "a,new:one"])
    error_message = "The payer's own role accepts both."
  }

  assert {
    condition     = output.api_access.external_id_count == 2
    error_message = "The state says that two are accepted, without the ids."
  }
}

run "the_role_that_reads_the_report_accepts_both_external_ids" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    accepted_external_ids = ["octo-external-id", "a,new:one"]
  }

  assert {
    condition     = toset(jsondecode(aws_iam_role.cur.assume_role_policy).Statement[0].Condition.StringEquals["sts:ExternalId"]) == toset(["octo-external-id", "a,new:one"])
    error_message = "The role that reads the report accepts both."
  }
}

run "one_external_id_is_no_list" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  variables {
    accepted_external_ids = ["octo-external-id"]
  }

  assert {
    condition     = jsondecode(aws_iam_role.api_access.assume_role_policy).Statement[0].Condition.StringEquals["sts:ExternalId"] == "octo-external-id" && output.api_access.external_id_count == 1
    error_message = "The same id twice is one."
  }
}

run "linked_accounts_can_have_fewer_features" {
  command = plan

  variables {
    features          = ["cost", "recommendations", "execution"]
    execution_actions = ["stop_ec2"]
    stackset_features = ["cost"]
  }

  assert {
    condition     = keys(jsondecode(output.stackset.template).Resources) == ["ApiAccessRole"] && jsondecode(output.stackset.template).Resources.ApiAccessRole.Properties.Policies[*].PolicyName == ["octo-cost"]
    error_message = "What linked accounts get is said apart."
  }
}

run "execution_in_linked_accounts_only_by_name" {
  command = plan

  variables {
    features          = ["cost", "execution"]
    execution_actions = ["stop_ec2"]
  }

  assert {
    condition     = keys(jsondecode(output.stackset.template).Resources) == ["ApiAccessRole"]
    error_message = "No linked account gets a role that can change something unless it is asked for."
  }
}

run "execution_in_linked_accounts_is_theirs" {
  command = plan

  variables {
    features             = ["cost", "execution"]
    execution_actions    = ["abort_s3_uploads", "delete_ebs", "delete_load_balancer", "delete_rds", "release_address", "rightsize_ec2", "rightsize_ecs", "rightsize_lambda", "stop_ec2", "stop_rds", "terminate_ec2", "upgrade_ebs"]
    execution_may_delete = true
    execution_tag        = { octo = "may stop" }
    stackset_features    = ["cost", "recommendations", "container_cost", "unit_metrics", "ai_cost", "execution"]
  }

  assert {
    condition     = keys(jsondecode(output.stackset.template).Resources) == ["ApiAccessRole", "ChangeExecutorRole", "ChangeTemplateApproverRole", "ExecutionBoundary", "RecommendationSearcherRole", "SSMUpdaterRole"]
    error_message = "The roles of all features, and the boundary of those that change something."
  }
  assert {
    condition     = !strcontains(jsonencode(jsondecode(output.stackset.template).Resources), "111122223333")
    error_message = "Nothing in a linked account is about the payer."
  }
  assert {
    condition     = [for s in jsondecode(output.stackset.template).Resources.ChangeExecutorRole.Properties.Policies[0].PolicyDocument.Statement : s if s.Sid == "StopEc20"] == [{ Sid = "StopEc20", Effect = "Allow", Action = ["ec2:StopInstances"], Resource = [{ "Fn::Sub" = "arn:$${AWS::Partition}:ec2:*:$${AWS::AccountId}:instance/*" }], Condition = { StringEquals = { "aws:ResourceTag/octo" = "may stop" } } }]
    error_message = "The account's own resources, with the tag."
  }
  assert {
    condition     = alltrue([for id in ["ChangeExecutorRole", "ChangeTemplateApproverRole", "SSMUpdaterRole"] : jsondecode(output.stackset.template).Resources[id].Properties.PermissionsBoundary == { Ref = "ExecutionBoundary" }])
    error_message = "The roles of execution are bounded there too."
  }
  assert {
    condition     = length(output.stackset.template) < 51200
    error_message = "CloudFormation's limit, with all features and actions."
  }
}

run "a_boundary_is_looked_for_in_each_account" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::111122223333:policy/Boundary"
  }

  assert {
    condition     = jsondecode(output.stackset.template).Resources.ApiAccessRole.Properties.PermissionsBoundary == { "Fn::Sub" = "arn:aws:iam::$${AWS::AccountId}:policy/Boundary" }
    error_message = "A policy of the payer does not exist in another account."
  }
}

run "a_stackset_that_is_taken_over_keeps_its_ways" {
  command = plan

  module {
    source = "./modules/linked-accounts"
  }

  variables {
    max_session_duration               = 3600
    stackset_retain_on_account_removal = false
    stackset_role_logical_id           = "CrossAccountRole"
    stackset_role_path                 = "/"
  }

  assert {
    condition     = keys(jsondecode(output.stackset.template).Resources) == ["CrossAccountRole"] && jsondecode(output.stackset.template).Outputs.RoleArn.Value == { "Fn::GetAtt" = ["CrossAccountRole", "Arn"] }
    error_message = "With another logical id CloudFormation would create the role a second time."
  }
  assert {
    condition     = jsondecode(output.stackset.template).Resources.CrossAccountRole.Properties.Path == "/"
    error_message = "A template that no longer states the default path replaces each role."
  }
  assert {
    condition     = !aws_cloudformation_stack_set.api_access.auto_deployment[0].retain_stacks_on_account_removal
    error_message = "A change of automatic deployment replaces the set."
  }
  assert {
    condition     = jsondecode(output.stackset.template).Resources.CrossAccountRole.Properties.MaxSessionDuration == 3600
    error_message = "The roles in linked accounts have the same longest session."
  }
}

run "the_payers_roles_have_the_same_longest_session" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  variables {
    max_session_duration = 3600
  }

  assert {
    condition     = aws_iam_role.api_access.max_session_duration == 3600
    error_message = "The roles by which Octo reads have the same longest session."
  }
}

run "so_has_the_role_that_reads_the_report" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    max_session_duration = 3600
  }

  assert {
    condition     = aws_iam_role.cur.max_session_duration == 3600
    error_message = "The roles by which Octo reads have the same longest session."
  }
}

run "no_stackset_unless_it_is_asked_for" {
  command = plan

  variables {
    use_stackset     = false
    stackset_targets = ["ou-abcd-11111111"]
  }

  assert {
    condition     = output.stackset == null
    error_message = "Targets alone deploy nothing."
  }
}

run "a_stackset_of_an_account_that_turns_out_to_be_linked_is_refused" {
  command = plan

  variables {
    account_type = null
  }

  override_data {
    target = data.aws_organizations_organization.current
    values = { master_account_id = "999988887777", roots = [{ arn = "", id = "r-abcd", name = "Root", policy_types = [] }] }
  }

  expect_failures = [data.aws_organizations_organization.current]
}

run "alone_it_is_refused_outside_the_management_account" {
  command = plan

  module {
    source = "./modules/linked-accounts"
  }

  override_data {
    target = data.aws_organizations_organization.current
    values = { master_account_id = "999988887777", roots = [{ arn = "", id = "r-abcd", name = "Root", policy_types = [] }] }
  }

  expect_failures = [data.aws_organizations_organization.current]
}
