"""The console path: CloudFormation stacks that a person creates by links, checked like an apply."""
