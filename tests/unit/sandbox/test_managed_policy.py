"""AWS::IAM::ManagedPolicy in a stack of the sandbox: created, versioned, bounding, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.sandbox.resources import Actor, ResourceError, find
from orchestrator.sandbox.services.iam import ServiceError
from orchestrator.sandbox.state import SandboxState, iam

ACCOUNT = "777788889999"
ARN = f"arn:aws:iam::{ACCOUNT}:policy/OctoExecutionBoundary"
TYPE = find()["AWS::IAM::ManagedPolicy"]


def properties(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"ManagedPolicyName": "OctoExecutionBoundary", "PolicyDocument": document}


@pytest.fixture
def actor() -> Iterator[Actor]:
    made = Actor(SandboxState("auto"), ACCOUNT, "us-east-1", None)
    yield made
    iam(ACCOUNT).roles.clear()
    iam(ACCOUNT).managed_policies.pop(ARN, None)


def default(arn: str = ARN) -> str:
    held = iam(ACCOUNT).managed_policies[arn]
    (text,) = (v.document for v in held.versions if v.version_id == held.default_version_id)
    return text


def test_its_ref_is_its_arn_and_a_second_one_of_the_name_fails(actor):
    assert TYPE.create(actor, properties("ec2:StopInstances")).physical_id == ARN
    with pytest.raises(ResourceError, match="already exists"):
        TYPE.create(actor, properties("ec2:StopInstances"))


def test_an_update_is_its_default_version_however_many_there_were(actor):
    TYPE.create(actor, properties("ec2:StopInstances"))
    for number in range(7):
        TYPE.update(actor, ARN, properties(f"ec2:Stop{number}"))
        assert f"ec2:Stop{number}" in default()
    assert len(iam(ACCOUNT).managed_policies[ARN].versions) <= 5


def test_it_cannot_be_deleted_while_it_bounds_a_role(actor):
    TYPE.create(actor, properties("ec2:StopInstances"))
    role = find()["AWS::IAM::Role"]
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ssm.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    made = role.create(
        actor,
        {
            "RoleName": "OctoChangeExecutorRole",
            "AssumeRolePolicyDocument": trust,
            "PermissionsBoundary": ARN,
        },
    )
    with pytest.raises(ServiceError, match="attached"):
        TYPE.delete(actor, ARN)
    role.delete(actor, made.physical_id)
    TYPE.delete(actor, ARN)
    assert ARN not in iam(ACCOUNT).managed_policies
    TYPE.delete(actor, ARN)  # what is gone is no error
