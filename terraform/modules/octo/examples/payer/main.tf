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

  account_id   = "111122223333"
  account_type = "payer"
  external_id  = var.external_id
}

variable "external_id" {
  type      = string
  sensitive = true
}
