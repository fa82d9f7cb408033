output "additional_managed_policies" {
  description = "The managed policies of the roles that read, by name, as JSON; none while inline policies hold them."
  value       = local.additional_managed_policies
}

output "api_access_role" {
  description = "The name of the API access role."
  value       = local.api_access_role
}

output "cur_role" {
  description = "The name of the role that reads the report."
  value       = local.cur_role
}

output "execution_boundary" {
  description = "The most that the roles of execution can ever do, as JSON."
  value       = local.execution_boundary
}

output "execution_boundary_name" {
  description = "The name of that policy."
  value       = "OctoExecutionBoundary"
}

output "execution_roles" {
  description = "The names of the roles of execution."
  value       = keys(local.table.features.execution.roles)
}

output "external_id_count" {
  description = "How many external ids the roles accept."
  value       = local.external_id_count
}

# Not sensitive as a whole: each value carries its own mark.
output "external_ids" {
  description = "The ids that the roles accept, sorted."
  value       = local.external_ids
}

output "policies" {
  description = "The inline policies by role and name, as JSON; only the roles that the features need."
  value       = local.policies
}

output "reading_roles" {
  description = "The names of the roles by which Octo reads."
  value       = local.reading_roles
}

output "roles" {
  description = "Description and kind of trust of each of Octo's roles."
  value       = local.table.roles
}

output "schema_elements" {
  description = "What the features need in the report."
  value       = toset(flatten([for feature in var.features : local.table.features[feature].report]))
}

output "trusts" {
  description = "The trust policies by kind, as JSON."
  value       = local.trusts
}
