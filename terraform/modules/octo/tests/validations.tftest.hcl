# Each validation refuses at plan what AWS would refuse at apply.

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

run "refuses_account_id_of_eleven_digits" {
  command = plan

  variables {
    account_id = "11112222333"
  }

  expect_failures = [var.account_id]
}

run "refuses_account_id_with_letters" {
  command = plan

  variables {
    account_id = "11112222333a"
  }

  expect_failures = [var.account_id]
}

run "refuses_unknown_account_type" {
  command = plan

  variables {
    account_type = "member"
  }

  expect_failures = [var.account_type]
}

run "refuses_unknown_artifact" {
  command = plan

  variables {
    cur_additional_artifacts = ["SNOWFLAKE"]
  }

  expect_failures = [var.cur_additional_artifacts]
}

run "refuses_athena_beside_another_artifact" {
  command = plan

  variables {
    cur_additional_artifacts = ["ATHENA", "REDSHIFT"]
  }

  expect_failures = [var.cur_additional_artifacts]
}

run "refuses_athena_without_parquet" {
  command = plan

  variables {
    cur_additional_artifacts = ["ATHENA"]
  }

  expect_failures = [var.cur_additional_artifacts]
}

run "refuses_athena_without_overwriting" {
  command = plan

  variables {
    cur_additional_artifacts = ["ATHENA"]
    cur_format               = "Parquet"
    cur_compression          = "Parquet"
    cur_report_versioning    = "CREATE_NEW_REPORT"
  }

  expect_failures = [var.cur_additional_artifacts]
}

run "refuses_redshift_with_parquet" {
  command = plan

  variables {
    cur_additional_artifacts = ["REDSHIFT"]
    cur_format               = "Parquet"
    cur_compression          = "Parquet"
  }

  expect_failures = [var.cur_additional_artifacts]
}

run "refuses_unknown_schema_element" {
  command = plan

  variables {
    cur_additional_schema_elements = ["EVERYTHING"]
  }

  expect_failures = [var.cur_additional_schema_elements]
}

run "refuses_unknown_compression" {
  command = plan

  variables {
    cur_compression = "BZIP2"
  }

  expect_failures = [var.cur_compression]
}

run "refuses_parquet_format_without_its_compression" {
  command = plan

  variables {
    cur_format = "Parquet"
  }

  expect_failures = [var.cur_compression]
}

run "refuses_parquet_compression_without_its_format" {
  command = plan

  variables {
    cur_compression = "Parquet"
  }

  expect_failures = [var.cur_compression]
}

run "refuses_unknown_format" {
  command = plan

  variables {
    cur_format = "CSV"
  }

  expect_failures = [var.cur_format]
}

run "refuses_report_name_with_a_space" {
  command = plan

  variables {
    cur_report_name = "my report"
  }

  expect_failures = [var.cur_report_name]
}

run "refuses_report_name_of_257_characters" {
  command = plan

  variables {
    cur_report_name = join("", [for n in range(257) : "r"])
  }

  expect_failures = [var.cur_report_name]
}

run "refuses_report_name_with_a_newline_at_its_end" {
  command = plan

  variables {
    cur_report_name = "report\n"
  }

  expect_failures = [var.cur_report_name]
}

run "refuses_unknown_versioning" {
  command = plan

  variables {
    cur_report_versioning = "KEEP"
  }

  expect_failures = [var.cur_report_versioning]
}

run "refuses_unknown_role_trust" {
  command = plan

  variables {
    cur_role_trust = "anybody"
  }

  expect_failures = [var.cur_role_trust]
}

run "refuses_merging_into_a_new_bucket" {
  command = plan

  variables {
    cur_s3_bucket_merge_policy = true
  }

  expect_failures = [var.cur_s3_bucket_merge_policy]
}

run "refuses_bucket_name_with_capitals" {
  command = plan

  variables {
    cur_s3_bucket_name = "Bucket"
  }

  expect_failures = [var.cur_s3_bucket_name]
}

run "refuses_bucket_name_of_two_characters" {
  command = plan

  variables {
    cur_s3_bucket_name = "ab"
  }

  expect_failures = [var.cur_s3_bucket_name]
}

run "refuses_bucket_name_of_64_characters" {
  command = plan

  variables {
    cur_s3_bucket_name = join("", [for n in range(64) : "b"])
  }

  expect_failures = [var.cur_s3_bucket_name]
}

run "refuses_bucket_name_like_an_address" {
  command = plan

  variables {
    cur_s3_bucket_name = "192.168.5.4"
  }

  expect_failures = [var.cur_s3_bucket_name]
}

run "refuses_bucket_name_with_two_dots" {
  command = plan

  variables {
    cur_s3_bucket_name = "my..bucket"
  }

  expect_failures = [var.cur_s3_bucket_name]
}

run "refuses_bucket_name_that_ends_in_a_hyphen" {
  command = plan

  variables {
    cur_s3_bucket_name = "bucket-"
  }

  expect_failures = [var.cur_s3_bucket_name]
}

run "refuses_bucket_name_with_a_reserved_prefix" {
  command = plan

  variables {
    cur_s3_bucket_name = "xn--bucket"
  }

  expect_failures = [var.cur_s3_bucket_name]
}

run "refuses_bucket_name_with_a_reserved_suffix" {
  command = plan

  variables {
    cur_s3_bucket_name = "bucket-s3alias"
  }

  expect_failures = [var.cur_s3_bucket_name]
}

run "refuses_existing_bucket_without_its_name" {
  command = plan

  variables {
    cur_s3_bucket_option = "USE_EXISTING"
  }

  expect_failures = [var.cur_s3_bucket_name]
}

run "refuses_unknown_bucket_option" {
  command = plan

  variables {
    cur_s3_bucket_option = "REUSE"
  }

  expect_failures = [var.cur_s3_bucket_option]
}

run "refuses_region_by_its_city" {
  command = plan

  variables {
    cur_s3_bucket_region = "Frankfurt"
  }

  expect_failures = [var.cur_s3_bucket_region]
}

run "refuses_empty_prefix" {
  command = plan

  variables {
    cur_s3_prefix = ""
  }

  expect_failures = [var.cur_s3_prefix]
}

run "refuses_prefix_with_a_slash_at_its_end" {
  command = plan

  variables {
    cur_s3_prefix = "billing/"
  }

  expect_failures = [var.cur_s3_prefix]
}

run "refuses_unknown_time_unit" {
  command = plan

  variables {
    cur_time_unit = "YEARLY"
  }

  expect_failures = [var.cur_time_unit]
}

run "refuses_external_id_of_one_character" {
  command = plan

  variables {
    external_id = "x"
  }

  expect_failures = [var.external_id]
}

run "refuses_external_id_with_a_space" {
  command = plan

  variables {
    external_id = "octo id"
  }

  expect_failures = [var.external_id]
}

run "refuses_external_id_of_1225_characters" {
  command = plan

  variables {
    external_id = join("", [for n in range(245) : "xxxxx"]) # 1225
  }

  expect_failures = [var.external_id]
}

run "refuses_features_without_cost" {
  command = plan

  variables {
    features = ["recommendations"]
  }

  expect_failures = [var.features]
}

run "refuses_unknown_feature" {
  command = plan

  variables {
    features = ["cost", "admin"]
  }

  expect_failures = [var.features]
}

run "refuses_execution_without_an_action" {
  command = plan

  variables {
    features = ["cost", "execution"]
  }

  expect_failures = [var.execution_actions]
}

run "refuses_an_action_that_deletes_without_the_second_word" {
  command = plan

  variables {
    features          = ["cost", "execution"]
    execution_actions = ["terminate_ec2"]
  }

  expect_failures = [var.execution_actions]
}

run "refuses_an_additional_action_that_writes" {
  command = plan

  variables {
    additional_actions = ["iam:AttachRolePolicy"]
  }

  expect_failures = [var.additional_actions]
}

run "refuses_an_additional_action_that_reads_secrets" {
  command = plan

  variables {
    additional_actions = ["secretsmanager:GetSecretValue"]
  }

  expect_failures = [var.additional_actions]
}

run "refuses_boundary_that_is_no_policy" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::111122223333:role/Boundary"
  }

  expect_failures = [var.permissions_boundary]
}

run "refuses_session_that_is_too_long" {
  command = plan

  variables {
    max_session_duration = 43201
  }

  expect_failures = [var.max_session_duration]
}

run "refuses_logical_id_with_a_hyphen" {
  command = plan

  variables {
    stackset_role_logical_id = "Cross-Account"
  }

  expect_failures = [var.stackset_role_logical_id]
}

run "refuses_a_path_without_which_octo_would_assume_the_role" {
  command = plan

  variables {
    stackset_role_path = "/octo/"
  }

  expect_failures = [var.stackset_role_path]
}

run "refuses_another_principal" {
  command = plan

  variables {
    principal = "999999999999"
  }

  expect_failures = [var.principal]
}

run "refuses_stackset_name_that_starts_with_a_digit" {
  command = plan

  variables {
    stackset_name = "1set"
  }

  expect_failures = [var.stackset_name]
}

run "refuses_tag_key_that_aws_reserves" {
  command = plan

  variables {
    tags = { "aws:x" = "1" }
  }

  expect_failures = [var.tags]
}

run "refuses_tag_value_that_is_too_long" {
  command = plan

  variables {
    tags = { x = join("", [for n in range(257) : "v"]) }
  }

  expect_failures = [var.tags]
}

run "refuses_tag_with_a_character_iam_refuses" {
  command = plan

  variables {
    tags = { x = "a;b" }
  }

  expect_failures = [var.tags]
}

run "refuses_stackset_on_a_linked_account" {
  command = plan

  variables {
    account_type = "linked"
    use_stackset = true
  }

  expect_failures = [var.use_stackset]
}

run "refuses_stackset_target_that_is_no_ou" {
  command = plan

  variables {
    stackset_targets = ["production"]
  }

  expect_failures = [var.stackset_targets]
}

run "refuses_stackset_excluded_account_that_is_no_id" {
  command = plan

  variables {
    stackset_excluded_accounts = ["1234"]
  }

  expect_failures = [var.stackset_excluded_accounts]
}

run "refuses_stackset_tolerance_over_100" {
  command = plan

  variables {
    stackset_failure_tolerance_percentage = 101
  }

  expect_failures = [var.stackset_failure_tolerance_percentage]
}

run "refuses_stackset_concurrency_of_none" {
  command = plan

  variables {
    stackset_max_concurrent_percentage = 0
  }

  expect_failures = [var.stackset_max_concurrent_percentage]
}

run "refuses_another_callers_account" {
  command = plan

  variables {
    account_id = "999988887777"
  }

  expect_failures = [data.aws_caller_identity.current]
}

run "refuses_a_provider_of_another_region" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_s3_bucket_region = "eu-west-1"
  }

  expect_failures = [data.aws_region.cur_bucket]
}

run "refuses_an_existing_bucket_of_another_region" {
  command = plan

  module {
    source = "./modules/cur-export"
  }

  variables {
    cur_s3_bucket_option = "USE_EXISTING"
    cur_s3_bucket_name   = "existing-bucket"
  }

  override_data {
    target = data.aws_s3_bucket.existing
    values = { bucket_regional_domain_name = "existing.s3.bucket.s3.eu-west-1.amazonaws.com", region = "us-east-1" }
  }

  expect_failures = [data.aws_s3_bucket.existing]
}

run "accepts_the_longest_external_id" {
  command = plan

  variables {
    external_id = join("", [for n in range(306) : "xxxx"]) # 1224
  }
}

run "accepts_athena_as_it_must_be" {
  command = plan

  variables {
    cur_additional_artifacts = ["ATHENA"]
    cur_format               = "Parquet"
    cur_compression          = "Parquet"
  }
}

run "refuses_unknown_report_option" {
  command = plan

  variables {
    cur_report_option = "ADOPT"
  }

  expect_failures = [var.cur_report_option]
}
