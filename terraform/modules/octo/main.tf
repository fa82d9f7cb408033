# The parts, each of which can be used alone. They check the caller again, with the account that
# account.tf found.

module "api_access" {
  source = "./modules/api-access"

  accepted_external_ids = var.accepted_external_ids
  account_id            = local.account_id
  additional_actions    = var.additional_actions
  execution_actions     = var.execution_actions
  execution_may_delete  = var.execution_may_delete
  execution_tag         = var.execution_tag
  external_id           = var.external_id
  features              = var.features
  max_session_duration  = var.max_session_duration
  permissions_boundary  = var.permissions_boundary
  principal             = var.principal
  tags                  = var.tags
}

# A linked account's billing data is its payer's.
module "cur_export" {
  count  = local.account_type != "linked" ? 1 : 0
  source = "./modules/cur-export"

  providers = {
    aws            = aws
    aws.cur_bucket = aws.cur_bucket
  }

  accepted_external_ids          = var.accepted_external_ids
  account_id                     = local.account_id
  cur_additional_artifacts       = var.cur_additional_artifacts
  cur_additional_schema_elements = var.cur_additional_schema_elements
  cur_compression                = var.cur_compression
  cur_format                     = var.cur_format
  cur_refresh_closed_reports     = var.cur_refresh_closed_reports
  cur_report_name                = var.cur_report_name
  cur_report_option              = var.cur_report_option
  cur_report_versioning          = var.cur_report_versioning
  cur_role_trust                 = var.cur_role_trust
  cur_s3_bucket_has_policy       = var.cur_s3_bucket_has_policy
  cur_s3_bucket_merge_policy     = var.cur_s3_bucket_merge_policy
  cur_s3_bucket_name             = var.cur_s3_bucket_name
  cur_s3_bucket_option           = var.cur_s3_bucket_option
  cur_s3_bucket_region           = var.cur_s3_bucket_region
  cur_s3_prefix                  = var.cur_s3_prefix
  cur_time_unit                  = var.cur_time_unit
  external_id                    = var.external_id
  features                       = var.features
  max_session_duration           = var.max_session_duration
  permissions_boundary           = var.permissions_boundary
  principal                      = var.principal
  tags                           = var.tags
}

locals {
  linked_features = var.stackset_features == null ? setsubtract(var.features, ["execution"]) : var.stackset_features
}

module "linked_accounts" {
  count  = var.use_stackset ? 1 : 0
  source = "./modules/linked-accounts"

  accepted_external_ids                 = var.accepted_external_ids
  account_id                            = local.account_id
  additional_actions                    = var.additional_actions
  execution_actions                     = contains(local.linked_features, "execution") ? var.execution_actions : []
  execution_may_delete                  = var.execution_may_delete
  execution_tag                         = var.execution_tag
  external_id                           = var.external_id
  features                              = local.linked_features
  max_session_duration                  = var.max_session_duration
  permissions_boundary                  = var.permissions_boundary
  principal                             = var.principal
  stackset_excluded_accounts            = var.stackset_excluded_accounts
  stackset_failure_tolerance_percentage = var.stackset_failure_tolerance_percentage
  stackset_max_concurrent_percentage    = var.stackset_max_concurrent_percentage
  stackset_name                         = var.stackset_name
  stackset_retain_on_account_removal    = var.stackset_retain_on_account_removal
  stackset_retain_stacks                = var.stackset_retain_stacks
  stackset_role_logical_id              = var.stackset_role_logical_id
  stackset_role_path                    = var.stackset_role_path
  stackset_targets                      = length(var.stackset_targets) > 0 ? var.stackset_targets : toset(flatten(data.aws_organizations_organization.current[*].roots[*].id))
  tags                                  = var.tags
}
