provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["111122223333"]
}

module "cur_export" {
  source = "../../modules/cur-export"

  providers = {
    aws            = aws
    aws.cur_bucket = aws
  }

  account_id      = "111122223333"
  external_id     = var.external_id
  cur_report_name = "octo-hourly"
}

variable "external_id" {
  type      = string
  sensitive = true
}
