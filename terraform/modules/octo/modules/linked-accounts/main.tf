# Octo's roles in every linked account of a payer, carried out by CloudFormation. The payer's own
# roles are not here: StackSets never deploy to the management account.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = var.account_id == null || self.account_id == var.account_id
      error_message = "The credentials are those of account ${self.account_id}, not of account_id = ${coalesce(var.account_id, "(none)")}. Nothing was changed."
    }
  }
}

data "aws_region" "current" {}

# Lists every account of the organization, so it is read only where the root is needed.
data "aws_organizations_organization" "current" {
  count = length(var.stackset_targets) == 0 ? 1 : 0

  lifecycle {
    postcondition {
      condition     = self.master_account_id == data.aws_caller_identity.current.account_id
      error_message = "Linked accounts are deployed to from the organization's management account, ${self.master_account_id}: this account is ${data.aws_caller_identity.current.account_id}."
    }
  }
}

locals {
  # The root stands for the whole organization.
  targets = length(var.stackset_targets) > 0 ? tolist(var.stackset_targets) : data.aws_organizations_organization.current[0].roots[*].id
}

# In CloudFormation's words: each account's own values are its pseudo parameters.
module "documents" {
  source = "../role-documents"

  account_id            = "$${AWS::AccountId}"
  partition             = "$${AWS::Partition}"
  principal             = var.principal
  external_id           = var.external_id
  accepted_external_ids = var.accepted_external_ids
  features              = var.features
  execution_actions     = var.execution_actions
  execution_tag         = var.execution_tag
  additional_actions    = var.additional_actions
}

resource "aws_cloudformation_stack_set" "api_access" {
  name             = var.stackset_name
  description      = "Octo's API access in the linked accounts."
  permission_model = "SERVICE_MANAGED"
  capabilities     = ["CAPABILITY_NAMED_IAM"]
  template_body    = local.template
  parameters = merge(
    { for index, name in local.external_id_parameters : name => module.documents.external_ids[index] },
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
      condition     = length(local.template) <= 51200
      error_message = "The StackSet's template has ${length(local.template)} bytes, more than CloudFormation's 51,200: leave out some of additional_actions, or features of linked accounts."
    }
  }
}

# A stack set alone deploys nothing: these are its instances, one resource for each target.
#
# Not aws_cloudformation_stack_instances: it reads its targets back from whatever instances the set
# has, so that two of them would each treat the other's as their own, and delete them (provider
# issue 43607). This one stays with the target that it was made for.
resource "aws_cloudformation_stack_set_instance" "api_access" {
  for_each = toset(local.targets)

  # The stacks are in the provider's region: one is enough, IAM roles are global; and the argument
  # for another one has different names in the provider's versions 5 and 6.
  stack_set_name = aws_cloudformation_stack_set.api_access.name
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
