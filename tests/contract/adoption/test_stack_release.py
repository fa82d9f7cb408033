"""A stack is deleted where it owns the resources, and they stay; an interrupted release goes on."""

from __future__ import annotations

import json
import time

import pytest

from orchestrator.adoption.inventory import read_inventory
from orchestrator.adoption.stack_release import release, retained
from orchestrator.aws.errors import ServiceError
from orchestrator.aws.identity import identify
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import OwningStack
from tests.registered import trust

NAME, REGION, OTHER_REGION = "octo", "us-east-1", "eu-central-1"


def template(role: str) -> str:
    properties = {"RoleName": role, "AssumeRolePolicyDocument": json.loads(trust())}
    return json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": properties}}})


@pytest.fixture
def stack(session):
    """A stack that owns the API access role; role and stacks of its name are removed afterwards."""
    own = session("linked-1")
    client = own.client("cloudformation", REGION)
    client.create_stack(
        StackName=NAME, TemplateBody=template(API_ROLE), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    yield client
    for region in (REGION, OTHER_REGION):
        own.client("cloudformation", region).delete_stack(StackName=NAME)
    iam = own.client("iam")
    for role in iam.list_roles()["Roles"]:
        if role["RoleName"] == API_ROLE:
            iam.delete_role(RoleName=API_ROLE)


def names(client) -> list[str]:
    return [found["StackName"] for found in client.describe_stacks()["Stacks"]]


def role_id(session) -> str:
    return session("linked-1").client("iam").get_role(RoleName=API_ROLE)["Role"]["RoleId"]


def test_the_stack_is_deleted_and_its_role_stays(aws, session, stack):
    before = role_id(session)
    release(aws("linked-1"), NAME, REGION, sleep=lambda _: time.sleep(0.05))
    assert names(stack) == []
    assert role_id(session) == before
    release(aws("linked-1"), NAME, REGION)  # once more: it is gone


def test_a_release_that_was_interrupted_before_the_deletion_goes_on(aws, session, stack):
    stack.update_stack(
        StackName=NAME,
        TemplateBody=retained(template(API_ROLE)),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    before = role_id(session)
    release(aws("linked-1"), NAME, REGION, sleep=lambda _: time.sleep(0.05))
    assert names(stack) == []
    assert role_id(session) == before


def test_a_stack_of_the_same_name_in_another_region_is_not_the_owner(sandbox, aws, session, stack):
    other = session("linked-1").client("cloudformation", OTHER_REGION)
    other.create_stack(
        StackName=NAME, TemplateBody=template("Another"), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    account = identify(aws("linked-1"), sandbox.accounts["linked-1"])
    owners = read_inventory(aws("linked-1"), account).owners
    assert owners[f"role {API_ROLE}"] == OwningStack(NAME, REGION)
    release(aws("linked-1"), NAME, REGION, sleep=lambda _: time.sleep(0.05))
    assert names(other) == [NAME]


def test_a_release_that_cloudformation_refuses_leaves_stack_and_role(sandbox, aws, session, stack):
    before = role_id(session)
    sandbox.faults.add({"action": "UpdateStack", "error": "AccessDenied"})
    try:
        with pytest.raises(ServiceError, match="AccessDenied"):
            release(aws("linked-1"), NAME, REGION)
    finally:
        sandbox.faults.clear()
    assert names(stack) == [NAME]
    assert role_id(session) == before
