# Objects that hold all that a verifier needs. None reveals the external id.
# octo-tf reads them through orchestrator/model/module_contract/outputs.py: same names, same shapes.

output "account_id" {
  description = "The registered account."
  value       = local.account_id
}

output "account_type" {
  description = "`payer`, `linked` or `standalone`."
  value       = local.account_type
}

output "api_access" {
  description = "The API access role with its policies, the chosen features, and the further roles that they need."
  value       = module.api_access.api_access
}

output "cur" {
  description = "The Cost and Usage Report, its bucket with the policy statements it needs, and the role that reads it; null for a linked account. For an existing report it holds the settings that the report must have."
  value       = one(module.cur_export[*].cur)
}

output "module_version" {
  description = "The version of this module."
  value       = local.module_version
}

output "partition" {
  description = "The AWS partition: `aws`, `aws-cn` or `aws-us-gov`."
  value       = local.partition
}

output "stackset" {
  description = "The StackSet, its template and its targets; null without `use_stackset`."
  value       = one(module.linked_accounts[*].stackset)
}
