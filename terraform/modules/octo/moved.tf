# Keeps the resources of the published module (alphauslabs/octo/aws) when a user changes `source`.
# Each of these moves on by a block below.

moved {
  from = aws_iam_role.alphaus_acct_access_role
  to   = aws_iam_role.api_access
}

moved {
  from = aws_iam_role.AlphausAcctAccessCurRole
  to   = aws_iam_role.cur
}

moved {
  from = aws_s3_bucket.s3_bucket_resource
  to   = aws_s3_bucket.cur
}

moved {
  from = aws_cur_report_definition.cur_report_def
  to   = aws_cur_report_definition.cur
}

moved {
  from = aws_iam_role.octo_ssm_updater_role
  to   = aws_iam_role.feature["OctoSSMUpdaterRole"]
}

moved {
  from = aws_iam_role.octo_change_executor_role
  to   = aws_iam_role.feature["OctoChangeExecutorRole"]
}

moved {
  from = aws_iam_role.octo_change_template_approver_role
  to   = aws_iam_role.feature["OctoChangeTemplateApproverRole"]
}

# Keeps the resources that this module itself had before it was divided into modules/.

moved {
  from = aws_iam_role.api_access
  to   = module.api_access.aws_iam_role.api_access
}

moved {
  from = aws_iam_role_policy.api_access
  to   = module.api_access.aws_iam_role_policy.api_access
}

moved {
  from = aws_iam_role_policies_exclusive.api_access
  to   = module.api_access.aws_iam_role_policies_exclusive.api_access
}

moved {
  from = aws_iam_role_policy_attachments_exclusive.api_access
  to   = module.api_access.aws_iam_role_policy_attachments_exclusive.api_access
}

moved {
  from = aws_iam_policy.execution_boundary
  to   = module.api_access.aws_iam_policy.execution_boundary
}

moved {
  from = aws_iam_role.feature
  to   = module.api_access.aws_iam_role.feature
}

moved {
  from = aws_iam_role_policy.feature
  to   = module.api_access.aws_iam_role_policy.feature
}

moved {
  from = aws_iam_role_policies_exclusive.feature
  to   = module.api_access.aws_iam_role_policies_exclusive.feature
}

moved {
  from = aws_iam_role_policy_attachments_exclusive.feature
  to   = module.api_access.aws_iam_role_policy_attachments_exclusive.feature
}

moved {
  from = aws_cur_report_definition.cur
  to   = module.cur_export[0].aws_cur_report_definition.cur
}

moved {
  from = aws_iam_role.cur[0]
  to   = module.cur_export[0].aws_iam_role.cur
}

moved {
  from = aws_iam_role_policies_exclusive.cur[0]
  to   = module.cur_export[0].aws_iam_role_policies_exclusive.cur
}

moved {
  from = aws_iam_role_policy_attachments_exclusive.cur[0]
  to   = module.cur_export[0].aws_iam_role_policy_attachments_exclusive.cur
}

moved {
  from = aws_iam_role_policy.cur
  to   = module.cur_export[0].aws_iam_role_policy.cur
}

moved {
  from = aws_s3_bucket.cur
  to   = module.cur_export[0].aws_s3_bucket.cur
}

moved {
  from = aws_s3_bucket_lifecycle_configuration.cur
  to   = module.cur_export[0].aws_s3_bucket_lifecycle_configuration.cur
}

moved {
  from = aws_s3_bucket_notification.cur
  to   = module.cur_export[0].aws_s3_bucket_notification.cur
}

moved {
  from = aws_s3_bucket_ownership_controls.cur
  to   = module.cur_export[0].aws_s3_bucket_ownership_controls.cur
}

moved {
  from = aws_s3_bucket_policy.cur
  to   = module.cur_export[0].aws_s3_bucket_policy.cur
}

moved {
  from = aws_s3_bucket_public_access_block.cur
  to   = module.cur_export[0].aws_s3_bucket_public_access_block.cur
}

moved {
  from = aws_s3_bucket_server_side_encryption_configuration.cur
  to   = module.cur_export[0].aws_s3_bucket_server_side_encryption_configuration.cur
}

moved {
  from = aws_s3_bucket_versioning.cur
  to   = module.cur_export[0].aws_s3_bucket_versioning.cur
}

moved {
  from = aws_s3_bucket_policy.merged
  to   = module.cur_export[0].aws_s3_bucket_policy.merged
}

moved {
  from = aws_cloudformation_stack_set.api_access[0]
  to   = module.linked_accounts[0].aws_cloudformation_stack_set.api_access
}

moved {
  from = aws_cloudformation_stack_set_instance.api_access
  to   = module.linked_accounts[0].aws_cloudformation_stack_set_instance.api_access
}

moved {
  from = aws_iam_policy.additional
  to   = module.api_access.aws_iam_policy.additional
}

moved {
  from = aws_iam_role_policy_attachment.api_access
  to   = module.api_access.aws_iam_role_policy_attachment.api_access
}

moved {
  from = aws_iam_role_policy_attachment.feature
  to   = module.api_access.aws_iam_role_policy_attachment.feature
}
