provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["111122223333"]
}

module "api_access" {
  source = "../../modules/api-access"

  account_id  = "111122223333"
  external_id = var.external_id
  features    = ["cost", "recommendations"]
}

variable "external_id" {
  type      = string
  sensitive = true
}
