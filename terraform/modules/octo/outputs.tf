# Objects that hold all that a verifier needs. None reveals the external id.
# octo-tf reads them through orchestrator/model/module_contract/outputs.py: same names, same shapes.

output "account_id" {
  description = "The registered account."
  value       = local.account_id
}

output "account_type" {
  description = "`payer`, `linked` or `standalone`."
  value       = local.account_type
}

output "api_access" {
  description = "The API access role with its policies, the chosen features, and the further roles that they need."
  value = {
    role_name            = aws_iam_role.api_access.name
    role_arn             = aws_iam_role.api_access.arn
    principal            = var.principal
    external_id_count    = local.external_id_count
    features             = sort(var.features)
    inline_policies      = local.api_access_policies
    managed_policies     = local.managed_policies[local.api_access_role]
    permissions_boundary = var.permissions_boundary
    # Boundaries not by the resources: an imported role without one has "".
    feature_roles = [
      for role, policies in local.feature_roles : {
        role_name            = aws_iam_role.feature[role].name
        role_arn             = aws_iam_role.feature[role].arn
        trust                = local.table.roles[role].trust
        inline_policies      = policies
        managed_policies     = lookup(local.managed_policies, role, {})
        permissions_boundary = local.feature_boundaries[role]
      }
    ]
  }
}

output "cur" {
  description = "The Cost and Usage Report, its bucket with the policy statements it needs, and the role that reads it; null for a linked account. For an existing report it holds the settings that the report must have."
  value = local.has_cur ? {
    report_name                = local.report_is_new ? aws_cur_report_definition.cur[0].report_name : data.aws_cur_report_definition.existing[0].report_name
    report_option              = var.cur_report_option
    time_unit                  = var.cur_time_unit
    format                     = var.cur_format
    compression                = var.cur_compression
    additional_schema_elements = sort(local.schema_elements)
    additional_artifacts       = sort(var.cur_additional_artifacts)
    refresh_closed_reports     = var.cur_refresh_closed_reports
    report_versioning          = var.cur_report_versioning
    s3_prefix                  = local.delivery.prefix
    s3_bucket_name             = local.bucket_name
    s3_bucket_region           = local.delivery.region
    s3_bucket_option           = local.report_is_new ? var.cur_s3_bucket_option : "USE_EXISTING"
    bucket_policy_management   = local.bucket_is_new ? "module" : local.bucket_merges ? "merged" : "owner"
    bucket_policy_statements   = jsonencode(local.delivery_statements)
    role_trust                 = var.cur_role_trust
    role = {
      role_name            = aws_iam_role.cur[0].name
      role_arn             = aws_iam_role.cur[0].arn
      inline_policies      = local.cur_policies
      managed_policies     = {}
      permissions_boundary = var.permissions_boundary
    }
  } : null
}

output "module_version" {
  description = "The version of this module."
  value       = local.module_version
}

output "partition" {
  description = "The AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  value       = local.partition
}

output "stackset" {
  description = "The StackSet, its template and its targets; null without `use_stackset`."
  value = var.use_stackset ? {
    name              = aws_cloudformation_stack_set.api_access[0].name
    id                = aws_cloudformation_stack_set.api_access[0].stack_set_id
    region            = data.aws_region.current[0].id
    role_name         = aws_iam_role.api_access.name
    template          = local.stackset_template
    targets           = sort(keys(aws_cloudformation_stack_set_instance.api_access))
    excluded_accounts = sort(var.stackset_excluded_accounts)
    retain_stacks     = var.stackset_retain_stacks
  } : null
}
