"""The console path: the same registration by CloudFormation stacks that a person deploys."""
