# The Cost and Usage Report.

locals {
  # What was asked for, and what the features need.
  schema_elements = setunion(var.cur_additional_schema_elements, flatten([for feature in var.features : local.table.features[feature].report]))
}

data "aws_region" "cur_bucket" {
  count    = local.has_cur ? 1 : 0
  provider = aws.cur_bucket

  lifecycle {
    postcondition {
      # `id`: the provider's version 6 deprecates `name`, and version 5 has no `region`.
      condition     = self.id == var.cur_s3_bucket_region
      error_message = "The provider configuration aws.cur_bucket is for ${self.id}, but cur_s3_bucket_region is ${var.cur_s3_bucket_region}: pass one of that region."
    }
  }
}

resource "aws_cur_report_definition" "cur" {
  count = local.has_cur ? 1 : 0

  report_name                = var.cur_report_name
  time_unit                  = var.cur_time_unit
  format                     = var.cur_format
  compression                = var.cur_compression
  additional_schema_elements = local.schema_elements
  additional_artifacts       = var.cur_additional_artifacts
  refresh_closed_reports     = var.cur_refresh_closed_reports
  report_versioning          = var.cur_report_versioning
  s3_bucket                  = local.bucket_is_new ? aws_s3_bucket.cur[0].bucket : data.aws_s3_bucket.existing[0].bucket
  s3_prefix                  = var.cur_s3_prefix
  s3_region                  = var.cur_s3_bucket_region
  tags                       = var.tags

  lifecycle {
    prevent_destroy = true
  }

  # AWS looks at the bucket's policy when the report is made.
  depends_on = [
    aws_s3_bucket_ownership_controls.cur,
    aws_s3_bucket_policy.cur,
    aws_s3_bucket_policy.merged,
    data.aws_region.cur_bucket,
  ]
}
