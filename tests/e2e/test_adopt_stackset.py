"""A StackSet that a person made in the console: taken over with its stacks, where it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.model.module_contract.octo_names import API_ROLE, PRINCIPAL
from tests.e2e.conftest import EXTERNAL_ID, Checkpoint, Project, RunningSandbox, failing
from tests.registered import trust

SANDBOX = ("--linked", "5")
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


@pytest.fixture
def payer(sandbox) -> Project:
    """A payer with a role made by hand, and a StackSet in every linked account but one."""
    return by_hand(sandbox)


def by_hand(sandbox: RunningSandbox) -> Project:
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
    return sandbox.empty_project("payer")


@dataclass(frozen=True)
class Adopted:
    """The payer after its adoption, which was the last thing that ran, and what was before."""

    roles: dict[str, str]
    stacks: dict[str, str]
    template: dict[str, Any]
    checkpoint: Checkpoint


@pytest.fixture(scope="module")
def adopted(unused_sandbox) -> Adopted:
    sandbox = unused_sandbox()
    payer = by_hand(sandbox)
    before = linked_roles(sandbox), stacks(sandbox), template(sandbox)
    payer("adopt", "--purge-policies", "--yes", "--json", "--account-id", payer.account_id)
    return Adopted(*before, sandbox.checkpoint())


def linked_roles(sandbox: RunningSandbox) -> dict[str, str]:
    """The id of the role in each linked account that has it."""
    found = {}
    for number in range(1, 6):
        iam = sandbox.client(f"linked-{number}", "iam")
        found |= {
            f"linked-{number}": role["RoleId"]
            for role in iam.list_roles()["Roles"]
            if role["RoleName"] == API_ROLE
        }
    return found


def stacks(sandbox: RunningSandbox) -> dict[str, str]:
    pages = sandbox.client("payer", "cloudformation").get_paginator("list_stack_instances")
    return {
        s["Account"]: s["StackId"]
        for page in pages.paginate(StackSetName=NAME)
        for s in page["Summaries"]
        if "StackId" in s
    }


def template(sandbox: RunningSandbox) -> dict[str, Any]:
    found = sandbox.client("payer", "cloudformation").describe_stack_set(StackSetName=NAME)
    return found["StackSet"]


def test_it_is_discovered_by_what_it_deploys(payer):
    result = payer("discover", "--json")
    assert result.returncode == 0, result.stderr
    found = {thing["name"]: thing for thing in json.loads(result.stdout)["found"]}
    assert found[NAME]["fate"] == "adopt"


def test_what_every_account_would_lose_is_asked_for_first(sandbox, payer):
    before = linked_roles(sandbox)
    assert set(before) == {"linked-1", "linked-2", "linked-4", "linked-5"}
    refused = payer("adopt", "--yes", "--account-id", payer.account_id)
    assert refused.returncode == 5, refused.stdout + refused.stderr
    said = " ".join(refused.stderr.split())
    assert f"StackSet {NAME}: inline policy root: Octo loses" in said
    assert "iam:PassRole" in said
    assert list(payer.folder.iterdir()) == []
    assert template(sandbox)["TemplateBody"] == TEMPLATE
    assert linked_roles(sandbox) == before


def test_it_is_taken_over_with_the_accounts_that_it_has(sandbox, adopted):
    payer = sandbox.restore(adopted.checkpoint)["payer"]
    done = payer.ran[-1]
    assert done.returncode in (0, 4), done.stdout + done.stderr  # the report is yet to be delivered
    assert failing(json.loads(done.stdout)) == set()
    assert linked_roles(sandbox) == adopted.roles
    assert stacks(sandbox) == adopted.stacks
    changed = template(sandbox)
    assert changed["StackSetId"] == adopted.template["StackSetId"]
    assert set(json.loads(changed["TemplateBody"])["Resources"]) == {"CrossAccountRole"}
    iam = sandbox.client("linked-1", "iam")
    assert iam.list_role_policies(RoleName=API_ROLE)["PolicyNames"] == ["octo-cost"]
    assert iam.get_role(RoleName=API_ROLE)["Role"]["MaxSessionDuration"] == 43200
    settings = (payer.folder / "octo.yaml").read_text()
    assert "stackset_role_logical_id: CrossAccountRole" in settings
    # Without it CloudFormation would replace the roles, whose names are taken.
    assert "stackset_role_path: /" in settings
    made = json.loads(changed["TemplateBody"])["Resources"]["CrossAccountRole"]
    assert made["Properties"]["Path"] == "/"
    assert "stackset_retain_on_account_removal: false" in settings
    assert sandbox.account("linked-3") in settings
    assert EXTERNAL_ID not in done.stdout + done.stderr + settings


def test_afterwards_nothing_is_to_change_or_to_adopt(sandbox, adopted):
    payer = sandbox.restore(adopted.checkpoint)["payer"]
    plan = payer("plan", "--detailed-exitcode")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    again = payer("adopt", "--yes", "--json")
    assert again.returncode in (0, 4), again.stderr
    assert "Nothing to adopt" in again.stderr


def test_an_account_that_was_left_out_is_reached_when_it_is_asked_for(sandbox, adopted):
    payer = sandbox.restore(adopted.checkpoint)["payer"]
    octo_yaml = payer.folder / "octo.yaml"
    lines = octo_yaml.read_text().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("stackset_excluded_accounts"))
    account = next(
        i for i, line in enumerate(lines) if sandbox.account("linked-3") in line and i >= start
    )
    octo_yaml.write_text("".join(lines[:start] + lines[account + 1 :]))
    roles = linked_roles(sandbox)
    applied = payer("apply", "--yes", "--json")
    assert applied.returncode in (0, 4), applied.stdout + applied.stderr
    assert failing(json.loads(applied.stdout)) == set()
    after = linked_roles(sandbox)
    assert set(after) == {*roles, "linked-3"}
    assert {name: after[name] for name in roles} == roles
