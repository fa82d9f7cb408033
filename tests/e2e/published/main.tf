# What users of the published module have: the same resource addresses, inputs and habits (a
# provider block inside, inline_policy, roles that can do too much), written for these tests.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.49.0, < 6.0.0" # the sandbox cannot work with 6.x yet
    }
  }
}

provider "aws" {
  region     = "us-east-1"
  access_key = var.access_key
  secret_key = var.secret_key
}

locals {
  trust_under_id = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.principal }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  })
  trust_without_id = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.principal }
      Action    = "sts:AssumeRole"
    }]
  })
}

data "aws_caller_identity" "current" {}

resource "aws_iam_role" "alphaus_acct_access_role" {
  name               = "AlphausAcctAccessRole"
  assume_role_policy = local.trust_under_id

  inline_policy {
    name = "CostReading"
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = ["ce:GetCostAndUsage", "athena:Get*"], Resource = "*" }]
    })
  }

  inline_policy {
    name = "Operations"
    policy = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect   = "Allow"
        Action   = ["iam:CreateRole", "iam:AttachRolePolicy", "iam:PassRole", "ec2:TerminateInstances"]
        Resource = "*"
      }]
    })
  }
}

resource "aws_iam_role" "AlphausAcctAccessCurRole" {
  count = var.has_cur ? 1 : 0

  name               = "AlphausAcctAccessCurRole"
  assume_role_policy = local.trust_without_id

  inline_policy {
    name = "CurBucket"
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = ["s3:Get*", "s3:List*"], Resource = "*" }]
    })
  }
}

resource "aws_iam_role" "octo_ssm_updater_role" {
  name               = "OctoSSMUpdaterRole"
  assume_role_policy = local.trust_under_id

  inline_policy {
    name = "Parameters"
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = ["ssm:*", "secretsmanager:*"], Resource = "*" }]
    })
  }
}

resource "aws_iam_policy" "everything" {
  name = "OctoEverything"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]
  })
}

resource "aws_iam_role" "octo_change_executor_role" {
  name = "OctoChangeExecutorRole"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ssm.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
  managed_policy_arns = [aws_iam_policy.everything.arn]
}

resource "aws_s3_bucket" "s3_bucket_resource" {
  count = var.has_cur ? 1 : 0

  bucket = var.cur_s3_bucket_name
}

resource "aws_s3_bucket_policy" "s3_bucket_policy" {
  count = var.has_cur ? 1 : 0

  bucket = aws_s3_bucket.s3_bucket_resource[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "billingreports.amazonaws.com" }
        Action    = ["s3:GetBucketAcl", "s3:GetBucketPolicy"]
        Resource  = "arn:aws:s3:::${var.cur_s3_bucket_name}"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = data.aws_caller_identity.current.account_id
          }
        }
      },
      {
        Effect    = "Allow"
        Principal = { Service = "billingreports.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::${var.cur_s3_bucket_name}/*"
        Condition = {
          StringEquals = {
            "aws:SourceAccount" = data.aws_caller_identity.current.account_id
          }
        }
      },
    ]
  })
}

resource "aws_cur_report_definition" "cur_report_def" {
  count = var.has_cur ? 1 : 0

  report_name                = var.cur_report_name
  time_unit                  = "HOURLY"
  format                     = "textORcsv"
  compression                = "ZIP"
  additional_schema_elements = ["RESOURCES"]
  s3_bucket                  = aws_s3_bucket.s3_bucket_resource[0].bucket
  s3_region                  = var.cur_s3_bucket_region
  s3_prefix                  = var.cur_s3_prefix
  refresh_closed_reports     = true
  report_versioning          = "OVERWRITE_REPORT"

  depends_on = [aws_s3_bucket_policy.s3_bucket_policy]
}

resource "aws_cloudformation_stack_set" "alphaus_stackset" {
  count = var.use_stackset ? 1 : 0

  name             = var.stackset_name
  permission_model = "SERVICE_MANAGED"
  capabilities     = ["CAPABILITY_NAMED_IAM"]

  auto_deployment {
    enabled                          = true
    retain_stacks_on_account_removal = true
  }

  managed_execution {
    active = true
  }

  template_body = jsonencode({
    Resources = {
      AlphausRole = {
        Type = "AWS::IAM::Role"
        Properties = {
          RoleName                 = "AlphausAcctAccessRole"
          AssumeRolePolicyDocument = jsondecode(local.trust_under_id)
        }
      }
    }
  })

  lifecycle {
    ignore_changes = [administration_role_arn]
  }
}
