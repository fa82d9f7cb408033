provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["111122223333"]
}

module "octo" {
  source = "../.."

  providers = {
    aws            = aws
    aws.cur_bucket = aws
  }

  account_id        = "111122223333"
  account_type      = "standalone"
  external_id       = var.external_id
  cur_report_option = "USE_EXISTING"
  cur_report_name   = "acme-hourly"
}

variable "external_id" {
  type      = string
  sensitive = true
}
