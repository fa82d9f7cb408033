# The same object as the output of this name of the module around it. It does not reveal the external id.

output "cur" {
  description = "The Cost and Usage Report, its bucket with the policy statements it needs, and the role that reads it. For an existing report it holds the settings that the report must have."
  value = {
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
      role_name            = aws_iam_role.cur.name
      role_arn             = aws_iam_role.cur.arn
      inline_policies      = local.policies
      managed_policies     = {}
      permissions_boundary = var.permissions_boundary
    }
  }
}
