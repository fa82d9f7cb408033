# The same object as the output of this name of the module around it. It does not reveal the external id.

output "stackset" {
  description = "The StackSet, its template and its targets."
  value = {
    name              = aws_cloudformation_stack_set.api_access.name
    id                = aws_cloudformation_stack_set.api_access.stack_set_id
    region            = data.aws_region.current.id
    role_name         = module.documents.api_access_role
    template          = local.template
    targets           = sort(keys(aws_cloudformation_stack_set_instance.api_access))
    excluded_accounts = sort(var.stackset_excluded_accounts)
    retain_stacks     = var.stackset_retain_stacks
  }
}
