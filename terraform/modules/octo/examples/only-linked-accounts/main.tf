provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["111122223333"]
}

module "linked_accounts" {
  source = "../../modules/linked-accounts"

  account_id       = "111122223333"
  external_id      = var.external_id
  features         = ["cost", "recommendations"]
  stackset_targets = ["ou-abcd-11111111"]
}

variable "external_id" {
  type      = string
  sensitive = true
}
