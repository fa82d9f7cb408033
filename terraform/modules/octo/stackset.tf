# Optional, for a payer: Octo's roles in every linked account, carried out by CloudFormation.
# The payer's own role stays a direct resource: StackSets never deploy to the management account.

locals {
  # The root stands for the whole organization.
  stackset_targets = !var.use_stackset ? [] : (
    length(var.stackset_targets) > 0 ? tolist(var.stackset_targets) : data.aws_organizations_organization.current[0].roots[*].id
  )

  # A boundary of the customer's own is looked for under the same name in each account.
  stackset_boundary = var.permissions_boundary == null ? null : {
    "Fn::Sub" = replace(coalesce(var.permissions_boundary, "none"), ":${local.account_id}:", ":$${AWS::AccountId}:")
  }

  linked_policies = {
    for role, policies in local.role_policies.linked : role => [
      # What needs an account's own values is left to CloudFormation.
      for name, policy in policies : {
        PolicyName     = name
        PolicyDocument = jsondecode(replace(policy, "/\"([^\"]*[$][{]AWS::[^\"]*)\"/", "{\"Fn::Sub\":\"$1\"}"))
      }
    ]
  }
  # By logical ids.
  linked_additional = {
    for name, document in local.additional_managed_policies.linked : trimprefix(name, "Octo") => { name = name, document = document }
  }
  # One parameter for each id: an id may hold a comma, so that they are no CommaDelimitedList.
  external_id_parameters = [
    for index in range(local.external_id_count) : index == 0 ? "ExternalId" : "ExternalId${index + 1}"
  ]
  linked_executes = contains(local.policy_scopes.linked.features, "execution")
  linked_trusts = {
    external_id = {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OctoUnderExternalId"
        Effect    = "Allow"
        Principal = { AWS = { "Fn::Sub" = "arn:$${AWS::Partition}:iam::$${Principal}:root" } }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = {
            "sts:ExternalId" = jsondecode(
              local.external_id_count == 1 ? jsonencode({ Ref = "ExternalId" }) : jsonencode([for name in local.external_id_parameters : { Ref = name }])
            )
          }
        }
      }]
    }
    systems_manager = {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "SystemsManagerOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "ssm.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = { Ref = "AWS::AccountId" } }
          ArnLike      = { "aws:SourceArn" = { "Fn::Sub" = "arn:$${AWS::Partition}:ssm:*:$${AWS::AccountId}:automation-execution/*" } }
        }
      }]
    }
    account = {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "PeopleOfThisAccount"
        Effect    = "Allow"
        Principal = { AWS = { "Fn::Sub" = "arn:$${AWS::Partition}:iam::$${AWS::AccountId}:root" } }
        Action    = "sts:AssumeRole"
      }]
    }
  }
  # Each role's boundary as JSON, or null; the roles of execution are always bounded.
  linked_boundaries = {
    for role in keys(local.linked_policies) : role => (
      local.stackset_boundary != null ? jsonencode(local.stackset_boundary) :
      contains(local.execution_roles, role) ? jsonencode({ Ref = "ExecutionBoundary" }) : null
    )
  }

  # The same policies as the payer's own roles (features.tf).
  stackset_template = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = local.table.roles[local.api_access_role].description
    Parameters = merge(
      {
        # Not NoEcho: CloudFormation would answer **** and Terraform plan a change for ever. The id
        # is no password: whoever may read the role's trust policy sees it there.
        for name in local.external_id_parameters : name => {
          Type           = "String"
          Description    = "The id that Octo presents when it assumes the role."
          MinLength      = 2
          MaxLength      = 1224
          AllowedPattern = "[0-9A-Za-z_+=,.@:/-]+"
        }
      },
      {
        Principal = {
          Type           = "String"
          Description    = "Octo's own AWS account."
          AllowedPattern = "[0-9]{12}"
        }
      },
    )
    Resources = merge(
      {
        for role, policies in local.linked_policies :
        (role == local.api_access_role ? var.stackset_role_logical_id : trimprefix(role, "Octo")) => {
          Type = "AWS::IAM::Role"
          Properties = merge(
            {
              RoleName                 = role
              Description              = local.table.roles[role].description
              MaxSessionDuration       = var.max_session_duration
              AssumeRolePolicyDocument = local.linked_trusts[local.table.roles[role].trust]
              Policies                 = policies
            },
            length(local.linked_additional) > 0 && contains(local.reading_roles, role) ? {
              ManagedPolicyArns = [for logical_id in keys(local.linked_additional) : { Ref = logical_id }]
            } : {},
            # A change of the path replaces the role, also between "/" and none.
            role == local.api_access_role && var.stackset_role_path != null ? { Path = var.stackset_role_path } : {},
            { for boundary in [local.linked_boundaries[role]] : "PermissionsBoundary" => jsondecode(boundary) if boundary != null },
          )
        } if role != local.cur_role
      },
      {
        for logical_id, policy in local.linked_additional : logical_id => {
          Type = "AWS::IAM::ManagedPolicy"
          Properties = {
            ManagedPolicyName = policy.name
            Description       = "Reads that Octo's support asked for (additional_actions)."
            PolicyDocument    = jsondecode(policy.document)
          }
        }
      },
      {
        for logical_id in ["ExecutionBoundary"] : logical_id => {
          Type = "AWS::IAM::ManagedPolicy"
          Properties = {
            ManagedPolicyName = local.execution_boundary_name
            Description       = "The most that Octo's roles of execution can ever do."
            PolicyDocument = jsondecode(replace(
              jsonencode(jsondecode(templatefile("${path.module}/policies/execution_boundary.json.tftpl", {
                account_id = local.policy_scopes.linked.account_id
                partition  = local.policy_scopes.linked.partition
              }))),
              "/\"([^\"]*[$][{]AWS::[^\"]*)\"/", "{\"Fn::Sub\":\"$1\"}",
            ))
          }
        } if local.linked_executes && var.permissions_boundary == null
      },
    )
    Outputs = {
      RoleArn = { Value = { "Fn::GetAtt" = [var.stackset_role_logical_id, "Arn"] } }
    }
  })
}

data "aws_region" "current" {
  count = var.use_stackset ? 1 : 0
}

resource "aws_cloudformation_stack_set" "api_access" {
  count = var.use_stackset ? 1 : 0

  name             = var.stackset_name
  description      = "Octo's API access in the linked accounts."
  permission_model = "SERVICE_MANAGED"
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  template_body    = local.stackset_template
  parameters = merge(
    { for index, name in local.external_id_parameters : name => local.external_ids[index] },
    { Principal = var.principal },
  )
  tags = var.tags

  # Accounts that join are deployed to; one that leaves keeps its role by default, which does
  # nothing there but let Octo read. A change of this block would replace the set.
  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = var.stackset_retain_on_account_removal
  }

  # Operations wait for each other instead of failing.
  managed_execution {
    active = true
  }

  # For later changes of the template. The provider's version 5 has no concurrency_mode here, so
  # that CloudFormation works on one account more than may fail, at most, at a time.
  operation_preferences {
    max_concurrent_percentage    = var.stackset_max_concurrent_percentage
    failure_tolerance_percentage = var.stackset_failure_tolerance_percentage
    region_concurrency_type      = "PARALLEL"
  }

  timeouts {
    update = "12h"
  }

  lifecycle {
    # Returned by AWS, and not settable with auto-deployment: the provider would plan it for ever.
    ignore_changes = [administration_role_arn]

    precondition {
      condition     = local.account_type == "payer"
      error_message = "use_stackset is for a payer (the management account): this account is ${local.account_type}. Set use_stackset = false here."
    }
    precondition {
      condition     = length(local.stackset_template) <= 51200
      error_message = "The StackSet's template has ${length(local.stackset_template)} bytes, more than CloudFormation's 51,200: leave out some of additional_actions or stackset_features."
    }
  }
}

# A stack set alone deploys nothing: these are its instances, one resource for each target.
#
# Not aws_cloudformation_stack_instances: it reads its targets back from whatever instances the set
# has, so that two of them would each treat the other's as their own, and delete them (provider
# issue 43607). This one stays with the target that it was made for.
resource "aws_cloudformation_stack_set_instance" "api_access" {
  for_each = toset(local.stackset_targets)

  # The stacks are in the provider's region: one is enough, IAM roles are global; and the argument
  # for another one has different names in the provider's versions 5 and 6.
  stack_set_name = aws_cloudformation_stack_set.api_access[0].name
  retain_stack   = var.stackset_retain_stacks

  deployment_targets {
    organizational_unit_ids = [each.key]
    account_filter_type     = length(var.stackset_excluded_accounts) > 0 ? "DIFFERENCE" : "NONE"
    accounts                = length(var.stackset_excluded_accounts) > 0 ? var.stackset_excluded_accounts : null
  }

  operation_preferences {
    concurrency_mode             = "SOFT_FAILURE_TOLERANCE"
    max_concurrent_percentage    = var.stackset_max_concurrent_percentage
    failure_tolerance_percentage = var.stackset_failure_tolerance_percentage
    region_concurrency_type      = "PARALLEL"
  }

  timeouts {
    create = "12h"
    update = "12h"
    delete = "12h"
  }

  lifecycle {
    # Both are for the moment of creation. A change of deployment_targets would delete every
    # instance of the target and make it again; one of operation_preferences asks AWS for an
    # account named like the OU (provider issue 40675). `octo-tf apply` brings single accounts
    # in line with stackset_excluded_accounts.
    ignore_changes = [deployment_targets, operation_preferences]
  }
}
