provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["111122223333"]
}

provider "aws" {
  alias               = "frankfurt"
  region              = "eu-central-1"
  allowed_account_ids = ["111122223333"]
}

module "octo" {
  source = "../.."

  providers = {
    aws            = aws
    aws.cur_bucket = aws.frankfurt
  }

  account_id                 = "111122223333"
  account_type               = "payer"
  external_id                = var.external_id
  cur_s3_bucket_option       = "USE_EXISTING"
  cur_s3_bucket_name         = "billing-data"
  cur_s3_bucket_region       = "eu-central-1"
  cur_s3_bucket_merge_policy = true
}

variable "external_id" {
  type      = string
  sensitive = true
}
