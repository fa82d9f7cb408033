"""A payer set up by Octo's own stack, which made the roles and the StackSet: adopted by feature."""

from __future__ import annotations

import json

import pytest

from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    APPROVER_ROLE,
    EXECUTOR_ROLE,
    PRINCIPAL,
    SEARCHER_ROLE,
    UPDATER_ROLE,
)
from tests.e2e.conftest import EXTERNAL_ID, Project, RunningSandbox
from tests.registered import trust

SANDBOX = ("--linked", "2")
STACK, STACK_SET = "AlphausAccountAccess", "AlphausOrgStackset"


ROOT = {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}


def role(name: str, *actions: str, trusted: dict | None = None) -> dict:
    policy = {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    octos = json.loads(trust(EXTERNAL_ID))
    others = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "MaxSessionDuration": 43200,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [others]}
            if trusted
            else octos,
            "Policies": [
                {"PolicyName": "octo", "PolicyDocument": {"Version": "2012-10-17", **policy}}
            ],
        },
    }


def recommends() -> list[str]:
    policies = documents.of_features(SEARCHER_ROLE, ["recommendations"])
    return [a for p in policies.values() for s in p["Statement"] for a in s["Action"]]


def template() -> str:
    """As Octo's documentation describes it: TargetOrganizationId makes the StackSet as well."""
    linked = {"Resources": {"ApiAccess": role(API_ROLE, "ce:GetCostAndUsage")}}
    return json.dumps(
        {
            "Parameters": {
                "ExternalId": {"Type": "String"},
                "Principal": {"Type": "String", "Default": PRINCIPAL},
                "TargetOrganizationId": {"Type": "String", "Default": ""},
            },
            "Conditions": {
                "Deploys": {"Fn::Not": [{"Fn::Equals": [{"Ref": "TargetOrganizationId"}, ""]}]}
            },
            "Resources": {
                "ApiAccess": role(API_ROLE, "ce:GetCostAndUsage"),
                "Searcher": role(SEARCHER_ROLE, *recommends()),
                "Updater": role(UPDATER_ROLE, "ssm:CreateDocument"),
                "Executor": role(
                    EXECUTOR_ROLE, "*", trusted={"Service": "ssm.amazonaws.com", **ROOT}
                ),
                "Approver": role(APPROVER_ROLE, "ssm:GetDocument", trusted=ROOT),
                "OrgStackset": {
                    "Type": "AWS::CloudFormation::StackSet",
                    "Condition": "Deploys",
                    "Properties": {
                        "StackSetName": STACK_SET,
                        "PermissionModel": "SERVICE_MANAGED",
                        "Capabilities": ["CAPABILITY_NAMED_IAM"],
                        "AutoDeployment": {
                            "Enabled": True,
                            "RetainStacksOnAccountRemoval": False,
                        },
                        "StackInstancesGroup": [
                            {
                                "Regions": ["us-east-1"],
                                "DeploymentTargets": {
                                    "OrganizationalUnitIds": [{"Ref": "TargetOrganizationId"}]
                                },
                            }
                        ],
                        "TemplateBody": json.dumps(linked),
                    },
                },
            },
        }
    )


@pytest.fixture
def payer(sandbox: RunningSandbox) -> Project:
    client = sandbox.client("payer", "cloudformation")
    client.activate_organizations_access()
    root = sandbox.client("payer", "organizations").list_roots()["Roots"][0]["Id"]
    client.create_stack(
        StackName=STACK,
        TemplateBody=template(),
        Parameters=[
            {"ParameterKey": "ExternalId", "ParameterValue": EXTERNAL_ID},
            {"ParameterKey": "TargetOrganizationId", "ParameterValue": root},
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    waiter = client.get_waiter("stack_create_complete")
    waiter.wait(StackName=STACK, WaiterConfig={"Delay": 1})
    return sandbox.empty_project("payer")


def test_the_stacks_roles_and_its_stackset_are_adopted_by_the_features_that_are_kept(
    sandbox: RunningSandbox, payer: Project
):
    iam = sandbox.client("payer", "iam")
    client = sandbox.client("payer", "cloudformation")
    names = (API_ROLE, SEARCHER_ROLE, UPDATER_ROLE, EXECUTOR_ROLE, APPROVER_ROLE)
    before = {name: iam.get_role(RoleName=name)["Role"]["RoleId"] for name in names}
    stack_set_id = client.describe_stack_set(StackSetName=STACK_SET)["StackSet"]["StackSetId"]
    bucket = sandbox.existing_bucket("payer", "reports-of-octos-stack")
    options = [f"--{n.replace('_', '-')}={value}" for n, value in bucket.items()]
    code, shown = payer.on_terminal(
        *("adopt", "--account-id", payer.account_id, "--purge-policies"),
        *("--release-stack", STACK, "--cur-s3-bucket-merge-policy", *options),
        answers=(
            ("the feature recommendations here", "y"),
            ("the feature unit_metrics here", "n"),
            ("the feature execution here", "y"),
            ("Actions, with commas between", "stop_everything"),
            ("Actions, with commas between", "stop_ec2"),
            (f"Apply this to account {payer.account_id}?", "y"),
        ),
    )
    assert code in (0, 4), shown  # the report is yet to be delivered
    assert "There is no stop_everything" in shown
    assert f"Removes: role {EXECUTOR_ROLE}: trust in {payer.account_id}" in shown
    settings = (payer.folder / "octo.yaml").read_text()
    for line in ("use_stackset: true", f"stackset_name: {STACK_SET}", "- stop_ec2"):
        assert line in settings, settings
    assert "- unit_metrics" not in settings
    assert STACK not in {found["StackName"] for found in client.describe_stacks()["Stacks"]}
    assert {name: iam.get_role(RoleName=name)["Role"]["RoleId"] for name in names} == before
    kept = client.describe_stack_set(StackSetName=STACK_SET)["StackSet"]
    assert kept["StackSetId"] == stack_set_id
    executor = iam.get_role_policy(RoleName=EXECUTOR_ROLE, PolicyName="octo-change-executor")
    assert "ec2:StopInstances" in json.dumps(executor["PolicyDocument"])
    assert iam.list_attached_role_policies(RoleName=EXECUTOR_ROLE)["AttachedPolicies"] == []
    assert payer("plan", "--detailed-exitcode").returncode == 0
