# The bucket that AWS delivers the report to, or the policy statements that an existing one needs.

locals {
  bucket_is_new = local.report_is_new && var.cur_s3_bucket_option == "CREATE_NEW"
  bucket_merges = local.report_is_new && var.cur_s3_bucket_option == "USE_EXISTING" && var.cur_s3_bucket_merge_policy
  bucket_name   = local.delivery.bucket
  bucket_arn    = "arn:${local.partition}:s3:::${local.bucket_name}"

  # CUR lives in one region per partition. The report's computed ARN uses the provider's region
  # instead, so this is built from its parts.
  cur_region     = local.partition == "aws-cn" ? "cn-northwest-1" : "us-east-1"
  cur_source_arn = "arn:${local.partition}:cur:${local.cur_region}:${local.account_id}:definition/*"

  delivery_condition = {
    StringEquals = { "aws:SourceAccount" = local.account_id }
    ArnLike      = { "aws:SourceArn" = local.cur_source_arn }
  }

  # PutObject is not limited to the prefix: AWS writes its test object at the bucket's root.
  # https://docs.aws.amazon.com/cur/latest/userguide/cur-s3.html
  delivery_statements = [
    {
      Sid       = "OctoTfCurDeliveryLooks"
      Effect    = "Allow"
      Principal = { Service = "billingreports.amazonaws.com" }
      Action    = ["s3:GetBucketAcl", "s3:GetBucketPolicy"]
      Resource  = local.bucket_arn
      Condition = local.delivery_condition
    },
    {
      Sid       = "OctoTfCurDeliveryWrites"
      Effect    = "Allow"
      Principal = { Service = "billingreports.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "${local.bucket_arn}/*"
      Condition = local.delivery_condition
    },
  ]

  tls_only_statement = {
    Sid       = "OctoTfTlsOnly"
    Effect    = "Deny"
    Principal = { AWS = "*" }
    Action    = "s3:*"
    Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }

  # Merged as plain JSON: every other statement and key stays as its owner wrote it. A policy's
  # Statement may be one object; ours are replaced by their Sid, so that merging again is no change.
  present_policy = jsondecode(local.bucket_merges && var.cur_s3_bucket_has_policy ? data.aws_s3_bucket_policy.present[0].policy : "{\"Version\":\"2012-10-17\",\"Statement\":[]}")
  others_statements = [
    for statement in flatten([local.present_policy.Statement]) : statement
    if !contains(local.delivery_statements[*].Sid, try(statement.Sid, ""))
  ]
  merged_policy = jsonencode(merge(local.present_policy, { Statement = concat(local.others_statements, local.delivery_statements) }))
}

resource "aws_s3_bucket" "cur" {
  # checkov:skip=CKV_AWS_18: access logs need a second bucket, which the account's owner should choose; CloudTrail data events cover this one.
  # checkov:skip=CKV_AWS_144: AWS delivers a lost report again; a copy in another region only doubles where billing data lies.
  # checkov:skip=CKV_AWS_145: with a KMS key the billing service cannot deliver unless that key's policy lets it; SSE-S3 always works.
  count    = local.bucket_is_new ? 1 : 0
  provider = aws.cur_bucket

  bucket = local.bucket_name
  tags   = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "cur" {
  count    = local.bucket_is_new ? 1 : 0
  provider = aws.cur_bucket

  bucket                  = aws_s3_bucket.cur[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "cur" {
  count    = local.bucket_is_new ? 1 : 0
  provider = aws.cur_bucket

  bucket = aws_s3_bucket.cur[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "cur" {
  count    = local.bucket_is_new ? 1 : 0
  provider = aws.cur_bucket

  bucket = aws_s3_bucket.cur[0].id

  rule {
    apply_server_side_encryption_by_default {
      # Not aws:kms: the billing service has no right to the account's keys.
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "cur" {
  count    = local.bucket_is_new ? 1 : 0
  provider = aws.cur_bucket

  bucket = aws_s3_bucket.cur[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

# Creating this takes the provider 55 s whatever S3 answers: nothing waits for it.
resource "aws_s3_bucket_lifecycle_configuration" "cur" {
  count    = local.bucket_is_new ? 1 : 0
  provider = aws.cur_bucket

  bucket = aws_s3_bucket.cur[0].id

  # With OVERWRITE_REPORT every delivery leaves an old version of the whole month behind.
  rule {
    id     = "expire-old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # A rule for old versions says nothing before there can be any.
  depends_on = [aws_s3_bucket_versioning.cur]
}

resource "aws_s3_bucket_policy" "cur" {
  count    = local.bucket_is_new ? 1 : 0
  provider = aws.cur_bucket

  bucket = aws_s3_bucket.cur[0].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.delivery_statements, [local.tls_only_statement])
  })

  # S3 refuses one of two changes to a bucket's access at the same time.
  depends_on = [aws_s3_bucket_public_access_block.cur]
}

# Lets the account's owner react to each delivery (EventBridge: "Object Created").
resource "aws_s3_bucket_notification" "cur" {
  count    = local.bucket_is_new ? 1 : 0
  provider = aws.cur_bucket

  bucket      = aws_s3_bucket.cur[0].id
  eventbridge = true
}

data "aws_s3_bucket" "existing" {
  count    = local.report_is_new && var.cur_s3_bucket_option == "USE_EXISTING" ? 1 : 0
  provider = aws.cur_bucket

  bucket = local.bucket_name

  lifecycle {
    postcondition {
      # Not `region`: in the provider's version 6 it is the provider's own, so it would always fit.
      condition     = regex("^.*[.]s3[.]([^.]+)[.]", self.bucket_regional_domain_name)[0] == var.cur_s3_bucket_region
      error_message = "The bucket is in ${regex("^.*[.]s3[.]([^.]+)[.]", self.bucket_regional_domain_name)[0]}, not in cur_s3_bucket_region = ${var.cur_s3_bucket_region}."
    }
  }
}

data "aws_s3_bucket_policy" "present" {
  count    = local.bucket_merges && var.cur_s3_bucket_has_policy ? 1 : 0
  provider = aws.cur_bucket

  bucket = local.bucket_name
}

resource "aws_s3_bucket_policy" "merged" {
  count    = local.bucket_merges ? 1 : 0
  provider = aws.cur_bucket

  bucket = data.aws_s3_bucket.existing[0].id
  policy = local.merged_policy

  lifecycle {
    # Destroying it would destroy the owner's statements too.
    prevent_destroy = true
  }
}
