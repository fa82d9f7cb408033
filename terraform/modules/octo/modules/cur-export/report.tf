# The Cost and Usage Report.

locals {
  # What was asked for, and what the features need.
  schema_elements = setunion(var.cur_additional_schema_elements, module.documents.schema_elements)

  report_is_new = var.cur_report_option == "CREATE_NEW"
  # Where the report is delivered: an existing one says it itself.
  delivery = !local.report_is_new ? {
    bucket = data.aws_cur_report_definition.existing[0].s3_bucket
    prefix = data.aws_cur_report_definition.existing[0].s3_prefix
    region = data.aws_cur_report_definition.existing[0].s3_region
    } : {
    bucket = coalesce(var.cur_s3_bucket_name, "alphaus-cur-export-${local.account_id}")
    prefix = var.cur_s3_prefix
    region = var.cur_s3_bucket_region
  }
}

# A report that exists already is read and never managed: it must be what a new one would be made.
data "aws_cur_report_definition" "existing" {
  count = local.report_is_new ? 0 : 1

  report_name = var.cur_report_name

  lifecycle {
    postcondition {
      condition     = self.time_unit == var.cur_time_unit
      error_message = "The report ${var.cur_report_name} is ${self.time_unit}, not ${var.cur_time_unit}, and AWS cannot change that: name another report, or have one created (cur_report_option = \"CREATE_NEW\")."
    }
    postcondition {
      condition     = length(setsubtract(local.schema_elements, self.additional_schema_elements)) == 0
      error_message = "The report ${var.cur_report_name} lacks ${join(" and ", setsubtract(local.schema_elements, self.additional_schema_elements))}, and AWS cannot add that: name another report, or have one created (cur_report_option = \"CREATE_NEW\")."
    }
    postcondition {
      condition     = self.report_versioning == var.cur_report_versioning
      error_message = "The report ${var.cur_report_name} has versioning ${self.report_versioning}, not ${var.cur_report_versioning}, and AWS cannot change that: name another report, or have one created (cur_report_option = \"CREATE_NEW\")."
    }
    postcondition {
      condition     = self.format == var.cur_format && self.compression == var.cur_compression
      error_message = "The report ${var.cur_report_name} is ${self.format} with compression ${self.compression}, not ${var.cur_format} with ${var.cur_compression}: change it in AWS (Billing and Cost Management, Data Exports), or name another report."
    }
    postcondition {
      condition     = self.refresh_closed_reports || !var.cur_refresh_closed_reports
      error_message = "The report ${var.cur_report_name} does not refresh closed months: change it in AWS (Billing and Cost Management, Data Exports), or name another report."
    }
    postcondition {
      condition     = can(regex("^[^/]", self.s3_prefix)) && can(regex("[^/]$", self.s3_prefix))
      error_message = "The report ${var.cur_report_name} has the prefix \"${self.s3_prefix}\"; Octo needs one, with no slash at either end: change it in AWS (Billing and Cost Management, Data Exports), or name another report."
    }
    postcondition {
      condition     = var.cur_s3_bucket_name == null || self.s3_bucket == var.cur_s3_bucket_name
      error_message = "The report ${var.cur_report_name} is delivered to the bucket ${self.s3_bucket}, not to cur_s3_bucket_name: leave that out, or name another report."
    }
  }
}

data "aws_region" "cur_bucket" {
  count    = local.report_is_new ? 1 : 0
  provider = aws.cur_bucket

  lifecycle {
    postcondition {
      # `id`: the provider's version 6 deprecates `name`, and version 5 has no `region`.
      condition     = self.id == var.cur_s3_bucket_region
      error_message = "The provider configuration aws.cur_bucket is for ${self.id}, but cur_s3_bucket_region is ${var.cur_s3_bucket_region}: pass one of that region."
    }
  }
}

# Only a warning: AWS may already have the report with such a prefix, which is not known here.
# https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/963
check "prefix_of_a_new_report" {
  assert {
    condition     = !local.report_is_new || can(regex("^.+[^.]$", var.cur_s3_prefix))
    error_message = "Since November 2025, AWS creates no new report with the prefix \"${var.cur_s3_prefix}\": it must have at least two characters, and no dot at its end. An existing report keeps such a prefix until a change replaces the report."
  }
}

resource "aws_cur_report_definition" "cur" {
  count = local.report_is_new ? 1 : 0

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
