locals {
  company = "acme"
}

module "octo" {
  source = "alphauslabs/octo/aws"

  external_id        = var.external_id
  use_stackset       = false
  cur_s3_bucket_name = "${local.company}-cur-export"
  cur_report_name    = "curreport"
  access_key         = var.access_key
  secret_key         = var.secret_key
}

variable "external_id" {
  type = string
}

variable "access_key" {
  type = string
}

variable "secret_key" {
  type      = string
  sensitive = true
}
