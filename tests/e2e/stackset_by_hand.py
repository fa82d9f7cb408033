"""A payer as a person left it: Octo's role, and a StackSet of a vendor's template."""

from __future__ import annotations

from orchestrator.model.module_contract.octo_names import API_ROLE, PRINCIPAL
from tests.e2e.conftest import EXTERNAL_ID, RunningSandbox
from tests.registered import trust

NAME = "octo-by-hand"
# As a vendor's template is: YAML, other names, policies that octo-tf does not give.
TEMPLATE = f"""
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Vendor: {{Type: String, Default: "{PRINCIPAL}"}}
  Id: {{Type: String}}
Resources:
  CrossAccountRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {API_ROLE}
      Path: /
      MaxSessionDuration: 43200
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {{AWS: !Sub "arn:${{AWS::Partition}}:iam::${{Vendor}}:root"}}
            Action: sts:AssumeRole
            Condition: {{StringEquals: {{sts:ExternalId: !Ref Id}}}}
      Policies:
        - PolicyName: root
          PolicyDocument:
            Version: 2012-10-17
            Statement: [{{Effect: Allow, Action: ["ce:*", "iam:PassRole"], Resource: "*"}}]
"""


def by_hand(sandbox: RunningSandbox) -> None:
    """Make a role in the payer, and a StackSet in every linked account but the third."""
    sandbox.client("payer", "iam").create_role(
        RoleName=API_ROLE, AssumeRolePolicyDocument=trust(EXTERNAL_ID), MaxSessionDuration=43200
    )
    cloudformation = sandbox.client("payer", "cloudformation")
    cloudformation.activate_organizations_access()
    cloudformation.create_stack_set(
        StackSetName=NAME,
        TemplateBody=TEMPLATE,
        Parameters=[{"ParameterKey": "Id", "ParameterValue": EXTERNAL_ID}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": False},
    )
    root = sandbox.client("payer", "organizations").list_roots()["Roots"][0]["Id"]
    cloudformation.create_stack_instances(
        StackSetName=NAME,
        DeploymentTargets={
            "OrganizationalUnitIds": [root],
            "AccountFilterType": "DIFFERENCE",
            "Accounts": [sandbox.account("linked-3")],
        },
        Regions=["us-east-1"],
    )
