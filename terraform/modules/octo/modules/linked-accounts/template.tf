# What CloudFormation makes in each linked account: Octo's roles, in its words.

locals {
  # A boundary of the customer's own is looked for under the same name in each account.
  boundary = var.permissions_boundary == null ? null : {
    "Fn::Sub" = replace(coalesce(var.permissions_boundary, "none"), ":${data.aws_caller_identity.current.account_id}:", ":$${AWS::AccountId}:")
  }

  policies = {
    for role, policies in module.documents.policies : role => [
      # What needs an account's own values is left to CloudFormation.
      for name, policy in policies : {
        PolicyName     = name
        PolicyDocument = jsondecode(replace(policy, "/\"([^\"]*[$][{]AWS::[^\"]*)\"/", "{\"Fn::Sub\":\"$1\"}"))
      }
    ]
  }
  # By logical ids.
  additional = {
    for name, document in module.documents.additional_managed_policies : trimprefix(name, "Octo") => { name = name, document = document }
  }
  # One parameter for each id: an id may hold a comma, so that they are no CommaDelimitedList.
  external_id_parameters = [
    for index in range(module.documents.external_id_count) : index == 0 ? "ExternalId" : "ExternalId${index + 1}"
  ]
  trusts = {
    external_id = {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OctoUnderExternalId"
        Effect    = "Allow"
        Principal = { AWS = { "Fn::Sub" = "arn:$${AWS::Partition}:iam::$${Principal}:root" } }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = {
            "sts:ExternalId" = jsondecode(
              module.documents.external_id_count == 1 ? jsonencode({ Ref = "ExternalId" }) : jsonencode([for name in local.external_id_parameters : { Ref = name }])
            )
          }
        }
      }]
    }
    systems_manager = {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "SystemsManagerOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "ssm.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          StringEquals = { "aws:SourceAccount" = { Ref = "AWS::AccountId" } }
          ArnLike      = { "aws:SourceArn" = { "Fn::Sub" = "arn:$${AWS::Partition}:ssm:*:$${AWS::AccountId}:automation-execution/*" } }
        }
      }]
    }
    account = {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "PeopleOfThisAccount"
        Effect    = "Allow"
        Principal = { AWS = { "Fn::Sub" = "arn:$${AWS::Partition}:iam::$${AWS::AccountId}:root" } }
        Action    = "sts:AssumeRole"
      }]
    }
  }
  # Each role's boundary as JSON, or null; the roles of execution are always bounded.
  boundaries = {
    for role in keys(local.policies) : role => (
      local.boundary != null ? jsonencode(local.boundary) :
      contains(module.documents.execution_roles, role) ? jsonencode({ Ref = "ExecutionBoundary" }) : null
    )
  }

  # The same policies as the payer's own roles.
  template = jsonencode({
    AWSTemplateFormatVersion = "2010-09-09"
    Description              = module.documents.roles[module.documents.api_access_role].description
    Parameters = merge(
      {
        # Not NoEcho: CloudFormation would answer **** and Terraform plan a change for ever. The id
        # is no password: whoever may read the role's trust policy sees it there.
        for name in local.external_id_parameters : name => {
          Type           = "String"
          Description    = "The id that Octo presents when it assumes the role."
          MinLength      = 2
          MaxLength      = 1224
          AllowedPattern = "[0-9A-Za-z_+=,.@:/-]+"
        }
      },
      {
        Principal = {
          Type           = "String"
          Description    = "Octo's own AWS account."
          AllowedPattern = "[0-9]{12}"
        }
      },
    )
    Resources = merge(
      {
        for role, policies in local.policies :
        (role == module.documents.api_access_role ? var.stackset_role_logical_id : trimprefix(role, "Octo")) => {
          Type = "AWS::IAM::Role"
          Properties = merge(
            {
              RoleName                 = role
              Description              = module.documents.roles[role].description
              MaxSessionDuration       = var.max_session_duration
              AssumeRolePolicyDocument = local.trusts[module.documents.roles[role].trust]
              Policies                 = policies
            },
            length(local.additional) > 0 && contains(module.documents.reading_roles, role) ? {
              ManagedPolicyArns = [for logical_id in keys(local.additional) : { Ref = logical_id }]
            } : {},
            # A change of the path replaces the role, also between "/" and none.
            role == module.documents.api_access_role && var.stackset_role_path != null ? { Path = var.stackset_role_path } : {},
            { for boundary in [local.boundaries[role]] : "PermissionsBoundary" => jsondecode(boundary) if boundary != null },
          )
        } if role != module.documents.cur_role
      },
      {
        for logical_id, policy in local.additional : logical_id => {
          Type = "AWS::IAM::ManagedPolicy"
          Properties = {
            ManagedPolicyName = policy.name
            Description       = "Reads that Octo's support asked for (additional_actions)."
            PolicyDocument    = jsondecode(policy.document)
          }
        }
      },
      {
        for logical_id in ["ExecutionBoundary"] : logical_id => {
          Type = "AWS::IAM::ManagedPolicy"
          Properties = {
            ManagedPolicyName = module.documents.execution_boundary_name
            Description       = "The most that Octo's roles of execution can ever do."
            PolicyDocument = jsondecode(replace(
              module.documents.execution_boundary,
              "/\"([^\"]*[$][{]AWS::[^\"]*)\"/", "{\"Fn::Sub\":\"$1\"}",
            ))
          }
        } if contains(var.features, "execution") && var.permissions_boundary == null
      },
    )
    Outputs = {
      RoleArn = { Value = { "Fn::GetAtt" = [var.stackset_role_logical_id, "Arn"] } }
    }
  })
}
