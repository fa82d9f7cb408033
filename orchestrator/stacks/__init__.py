"""A registration by CloudFormation stacks that the user deploys in the AWS console."""
