# What each account type gets, and what it does not get.

mock_provider "aws" {
  mock_data "aws_cur_report_definition" {
    defaults = {
      additional_schema_elements = ["RESOURCES", "SPLIT_COST_ALLOCATION_DATA"]
      compression                = "ZIP"
      format                     = "textORcsv"
      refresh_closed_reports     = true
      report_versioning          = "OVERWRITE_REPORT"
      s3_bucket                  = "billing-of-acme"
      s3_prefix                  = "finance/cur"
      s3_region                  = "eu-central-1"
      time_unit                  = "HOURLY"
    }
  }
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

run "a_payer_gets_access_and_a_report" {
  command = plan

  assert {
    condition     = output.api_access.role_name == "AlphausAcctAccessRole" && output.cur.report_name == "curreport" && output.cur.role.role_name == "AlphausAcctAccessCurRole"
    error_message = "A payer needs a report, a bucket and the role that reads it."
  }
  assert {
    condition     = output.cur.s3_bucket_name == "alphaus-cur-export-111122223333"
    error_message = "The default bucket name carries the account id."
  }
  assert {
    condition     = output.cur.bucket_policy_management == "module"
    error_message = "A new bucket's policy is the module's own."
  }
  assert {
    condition     = length(data.aws_organizations_organization.current) == 0
    error_message = "The organization is not read when the type was given."
  }
}

run "a_report_as_the_published_module_makes_it" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  assert {
    condition     = length(aws_cur_report_definition.cur) == 1 && length(aws_s3_bucket.cur) == 1 && length(aws_s3_bucket_policy.cur) == 1
    error_message = "A new report has a bucket of its own."
  }

  assert {
    condition     = aws_cur_report_definition.cur[0].time_unit == "HOURLY" && aws_cur_report_definition.cur[0].format == "textORcsv" && aws_cur_report_definition.cur[0].compression == "ZIP"
    error_message = "The report's defaults are the published module's."
  }
}

run "a_standalone_account_gets_the_same" {
  command = plan

  variables {
    account_type = "standalone"
  }

  assert {
    condition     = output.cur.report_name == "curreport" && output.account_type == "standalone"
    error_message = "A standalone account pays for itself."
  }
}

run "a_linked_account_gets_access_only" {
  command = plan

  variables {
    account_type = "linked"
  }

  assert {
    condition     = output.cur == null
    error_message = "A linked account's billing data is its payer's."
  }
  assert {
    condition     = output.api_access.role_name == "AlphausAcctAccessRole"
    error_message = "Octo looks for the role by this name."
  }
}

run "the_type_is_found_out_where_it_is_not_given" {
  command = plan

  variables {
    account_type = null
  }

  assert {
    condition     = output.account_type == "payer"
    error_message = "The caller is the organization's management account."
  }
}

run "another_management_account_means_linked" {
  command = plan

  variables {
    account_type = null
  }

  override_data {
    target = data.aws_organizations_organization.current
    values = { master_account_id = "999988887777" }
  }

  assert {
    condition     = output.account_type == "linked"
    error_message = "The organization's management account is another one."
  }
}

run "the_trust_is_strict" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  assert {
    condition     = jsondecode(nonsensitive(aws_iam_role.api_access.assume_role_policy)).Statement[0].Condition == { StringEquals = { "sts:ExternalId" = "octo-external-id" } }
    error_message = "Octo gets in under the external id only."
  }
  assert {
    condition     = jsondecode(nonsensitive(aws_iam_role.api_access.assume_role_policy)).Statement[0].Principal == { AWS = "arn:aws:iam::131920598436:root" }
    error_message = "Nobody but Octo's account."
  }
}

run "the_cur_roles_trust_is_strict_too" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  assert {
    condition     = jsondecode(nonsensitive(aws_iam_role.cur.assume_role_policy)).Statement[0].Condition == { StringEquals = { "sts:ExternalId" = "octo-external-id" } }
    error_message = "Octo reads the report under the external id only."
  }
}

run "the_cur_role_can_have_the_weaker_trust" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_role_trust = "principal_only"
  }

  assert {
    condition     = !can(jsondecode(nonsensitive(aws_iam_role.cur.assume_role_policy)).Statement[0].Condition)
    error_message = "principal_only leaves the condition out."
  }
}

run "other_partitions_have_their_own_arns" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn" }
  }

  assert {
    condition     = jsondecode(nonsensitive(aws_iam_role.api_access.assume_role_policy)).Statement[0].Principal == { AWS = "arn:aws-cn:iam::131920598436:root" }
    error_message = "The principal is of the caller's partition."
  }
}

run "other_partitions_have_their_own_region_of_reports" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn" }
  }

  assert {
    condition     = jsondecode(output.cur.bucket_policy_statements)[0].Condition.ArnLike["aws:SourceArn"] == "arn:aws-cn:cur:cn-northwest-1:111122223333:definition/*"
    error_message = "CUR's region in China is cn-northwest-1."
  }
}

run "an_existing_bucket_is_not_taken_over" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_s3_bucket_option = "USE_EXISTING"
    cur_s3_bucket_name   = "existing-bucket"
  }

  assert {
    condition     = length(aws_s3_bucket.cur) == 0 && length(aws_s3_bucket_policy.cur) == 0 && length(aws_s3_bucket_policy.merged) == 0
    error_message = "Neither the bucket nor its policy is the module's."
  }
  assert {
    condition     = output.cur.bucket_policy_management == "owner" && length(jsondecode(output.cur.bucket_policy_statements)) == 2
    error_message = "The statements that it needs are an output."
  }
}

run "a_merged_policy_drops_nothing" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_s3_bucket_option       = "USE_EXISTING"
    cur_s3_bucket_name         = "existing-bucket"
    cur_s3_bucket_merge_policy = true
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.merged[0].policy).Id == "theirs" && jsondecode(aws_s3_bucket_policy.merged[0].policy).Version == "2008-10-17"
    error_message = "The policy's own keys stay."
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.merged[0].policy).Statement[*].Sid == ["Theirs", "OctoTfCurDeliveryLooks", "OctoTfCurDeliveryWrites"]
    error_message = "Their statement stays, ours are added."
  }
}

run "merging_twice_is_merging_once" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_s3_bucket_option       = "USE_EXISTING"
    cur_s3_bucket_name         = "existing-bucket"
    cur_s3_bucket_merge_policy = true
  }

  override_data {
    target = data.aws_s3_bucket_policy.present
    values = { policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Theirs\"},{\"Sid\":\"OctoTfCurDeliveryLooks\"},{\"Sid\":\"OctoTfCurDeliveryWrites\"}]}" }
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.merged[0].policy).Statement[*].Sid == ["Theirs", "OctoTfCurDeliveryLooks", "OctoTfCurDeliveryWrites"]
    error_message = "Ours are replaced by their Sid."
  }
}

run "a_bucket_without_a_policy_can_be_merged_into" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_s3_bucket_option       = "USE_EXISTING"
    cur_s3_bucket_name         = "existing-bucket"
    cur_s3_bucket_merge_policy = true
    cur_s3_bucket_has_policy   = false
  }

  assert {
    condition     = length(data.aws_s3_bucket_policy.present) == 0 && length(jsondecode(aws_s3_bucket_policy.merged[0].policy).Statement) == 2
    error_message = "There is nothing to read, and only ours to write."
  }
}

run "an_existing_report_is_read_and_not_managed" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_report_option = "USE_EXISTING"
    cur_report_name   = "acme-hourly"
    cur_s3_prefix     = "p" # no new report is created, so there is no warning
  }

  assert {
    condition     = length(aws_cur_report_definition.cur) == 0 && length(aws_s3_bucket.cur) == 0 && length(aws_s3_bucket_policy.cur) == 0 && length(data.aws_s3_bucket.existing) == 0
    error_message = "Neither the report nor its bucket is the module's."
  }
  assert {
    condition     = [output.cur.report_option, output.cur.s3_bucket_name, output.cur.s3_prefix, output.cur.s3_bucket_region, output.cur.s3_bucket_option, output.cur.bucket_policy_management] == ["USE_EXISTING", "billing-of-acme", "finance/cur", "eu-central-1", "USE_EXISTING", "owner"]
    error_message = "The report says where it is delivered."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.cur["octo-cur-read"].policy).Statement[*].Resource == ["arn:aws:s3:::billing-of-acme", "arn:aws:s3:::billing-of-acme/finance/cur/*"]
    error_message = "Octo reads there, and nowhere else."
  }
}

run "an_existing_report_of_a_linked_account_is_its_payers" {
  command = plan

  variables {
    account_type      = "linked"
    cur_report_option = "USE_EXISTING"
  }

  assert {
    condition     = output.cur == null
    error_message = "A linked account reads no report."
  }
}

run "warns_of_the_prefix_of_a_new_report_of_one_character" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_s3_prefix = "p"
  }

  expect_failures = [check.prefix_of_a_new_report]
}

run "warns_of_the_prefix_of_a_new_report_with_a_dot_at_its_end" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_s3_prefix = "pre."
  }

  expect_failures = [check.prefix_of_a_new_report]
}

run "an_existing_report_by_the_day_is_refused" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_report_option = "USE_EXISTING"
  }

  override_data {
    target = data.aws_cur_report_definition.existing
    values = { additional_schema_elements = ["RESOURCES"], compression = "ZIP", format = "textORcsv", refresh_closed_reports = true, report_versioning = "OVERWRITE_REPORT", s3_bucket = "b-1", s3_prefix = "pre", s3_region = "us-east-1", time_unit = "DAILY" }
  }

  expect_failures = [data.aws_cur_report_definition.existing]
}

run "an_existing_report_without_resources_is_refused" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_report_option = "USE_EXISTING"
  }

  override_data {
    target = data.aws_cur_report_definition.existing
    values = { additional_schema_elements = ["SPLIT_COST_ALLOCATION_DATA"], compression = "ZIP", format = "textORcsv", refresh_closed_reports = true, report_versioning = "OVERWRITE_REPORT", s3_bucket = "b-1", s3_prefix = "pre", s3_region = "us-east-1", time_unit = "HOURLY" }
  }

  expect_failures = [data.aws_cur_report_definition.existing]
}

run "an_existing_report_in_another_format_is_refused" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_report_option = "USE_EXISTING"
  }

  override_data {
    target = data.aws_cur_report_definition.existing
    values = { additional_schema_elements = ["RESOURCES"], compression = "Parquet", format = "Parquet", refresh_closed_reports = true, report_versioning = "OVERWRITE_REPORT", s3_bucket = "b-1", s3_prefix = "pre", s3_region = "us-east-1", time_unit = "HOURLY" }
  }

  expect_failures = [data.aws_cur_report_definition.existing]
}

run "an_existing_report_with_another_compression_is_refused" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_report_option = "USE_EXISTING"
  }

  override_data {
    target = data.aws_cur_report_definition.existing
    values = { additional_schema_elements = ["RESOURCES"], compression = "GZIP", format = "textORcsv", refresh_closed_reports = true, report_versioning = "OVERWRITE_REPORT", s3_bucket = "b-1", s3_prefix = "pre", s3_region = "us-east-1", time_unit = "HOURLY" }
  }

  expect_failures = [data.aws_cur_report_definition.existing]
}

run "an_existing_report_that_keeps_old_versions_is_refused" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_report_option = "USE_EXISTING"
  }

  override_data {
    target = data.aws_cur_report_definition.existing
    values = { additional_schema_elements = ["RESOURCES"], compression = "ZIP", format = "textORcsv", refresh_closed_reports = true, report_versioning = "CREATE_NEW_REPORT", s3_bucket = "b-1", s3_prefix = "pre", s3_region = "us-east-1", time_unit = "HOURLY" }
  }

  expect_failures = [data.aws_cur_report_definition.existing]
}

run "an_existing_report_that_leaves_closed_months_is_refused" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_report_option = "USE_EXISTING"
  }

  override_data {
    target = data.aws_cur_report_definition.existing
    values = { additional_schema_elements = ["RESOURCES"], compression = "ZIP", format = "textORcsv", refresh_closed_reports = false, report_versioning = "OVERWRITE_REPORT", s3_bucket = "b-1", s3_prefix = "pre", s3_region = "us-east-1", time_unit = "HOURLY" }
  }

  expect_failures = [data.aws_cur_report_definition.existing]
}

run "an_existing_report_without_a_prefix_is_refused" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_report_option = "USE_EXISTING"
  }

  override_data {
    target = data.aws_cur_report_definition.existing
    values = { additional_schema_elements = ["RESOURCES"], compression = "ZIP", format = "textORcsv", refresh_closed_reports = true, report_versioning = "OVERWRITE_REPORT", s3_bucket = "b-1", s3_prefix = "", s3_region = "us-east-1", time_unit = "HOURLY" }
  }

  expect_failures = [data.aws_cur_report_definition.existing]
}

run "an_existing_report_in_another_bucket_is_refused" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_report_option  = "USE_EXISTING"
    cur_s3_bucket_name = "another-bucket"
  }

  override_data {
    target = data.aws_cur_report_definition.existing
    values = { additional_schema_elements = ["RESOURCES"], compression = "ZIP", format = "textORcsv", refresh_closed_reports = true, report_versioning = "OVERWRITE_REPORT", s3_bucket = "b-1", s3_prefix = "pre", s3_region = "us-east-1", time_unit = "HOURLY" }
  }

  expect_failures = [data.aws_cur_report_definition.existing]
}

run "api_access_alone_refuses_another_callers_account" {
  command = plan

  module {
    source = "./modules/api-access"
  }

  variables {
    account_id = "999988887777"
  }

  expect_failures = [data.aws_caller_identity.current]
}

run "cur_export_alone_refuses_another_callers_account" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    account_id = "999988887777"
  }

  expect_failures = [data.aws_caller_identity.current]
}

run "linked_accounts_alone_refuses_another_callers_account" {
  command = plan

  module {
    source = "./modules/linked-accounts"
  }

  variables {
    account_id = "999988887777"
  }

  expect_failures = [data.aws_caller_identity.current]
}
