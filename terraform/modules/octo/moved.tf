# Keeps the resources of the published module (alphauslabs/octo/aws) when a user changes `source`.

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
