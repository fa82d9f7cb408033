"""The doctor compares the caller with octo-tf policy, and names what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.model.policy import as_list


@pytest.fixture
def operator(sandbox):
    """A project whose credentials have the policies for apply and destroy, and may simulate.

    ``without`` is an action that they lack, ``outside`` one that their boundary does not allow.
    """

    def make(name: str, without: str = "", outside: str = ""):
        project = sandbox.project("linked-2", name)
        steps = ("--for", "apply", "--for", "destroy")
        printed = project("policy", "--account-type", "linked", *steps)
        assert printed.returncode == 0, printed.stderr
        statements = [
            statement
            for role in json.loads(printed.stdout)["roles"]
            for policy in role["policies"]
            for statement in policy["document"]["Statement"]
        ]
        kept = [
            {**s, "Action": actions}
            for s in statements
            if (actions := [a for a in as_list(s["Action"]) if a != without])
        ]
        iam = sandbox.client("linked-2", "iam")
        role = f"octo-tf-operator-{name}"
        arn = f"arn:aws:iam::{project.account_id}:role/{role}"
        asks = ["iam:GetRole", "iam:SimulatePrincipalPolicy"]
        kept.append({"Effect": "Allow", "Action": asks, "Resource": arn})
        limit = {}
        if outside:
            inside = {"Effect": "Allow", "NotAction": outside, "Resource": "*"}
            made = iam.create_policy(PolicyName="limit", PolicyDocument=document(inside))
            limit = {"PermissionsBoundary": made["Policy"]["Arn"]}
        root = {"AWS": f"arn:aws:iam::{project.account_id}:root"}
        trust = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document(trust), **limit)
        made = iam.create_policy(PolicyName=role, PolicyDocument=document(*kept))
        iam.attach_role_policy(RoleName=role, PolicyArn=made["Policy"]["Arn"])
        project.environ = {**project.environ, "OCTO_TF_ROLE": arn}
        return project

    return make


def document(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def lines(project) -> dict[str, dict[str, str]]:
    result = project("doctor", "--json")
    return {line["id"]: line for line in json.loads(result.stdout)["checks"]}


def test_the_printed_policies_satisfy_the_doctor(operator):
    found = lines(operator("enough"))
    assert found["permissions"]["status"] == "ok", found["permissions"]


def test_a_missing_permission_is_named_before_anything_is_tried(operator):
    project = operator("missing", without="iam:PutRolePolicy")
    result = project("doctor")
    assert result.returncode == 1
    assert "✗ permissions" in result.stdout
    assert "What plan and verify need is granted." in result.stdout
    role = f"arn:aws:iam::{project.account_id}:role/AlphausAcctAccessRole"
    assert f"operator-missing/octo-tf: iam:PutRolePolicy on {role} (not allowed)" in result.stdout


def test_a_boundary_that_is_too_narrow_is_named(operator):
    project = operator("bounded", outside="iam:CreateRole")
    line = lines(project)["permissions"]
    assert line["status"] == "problem"
    role = f"arn:aws:iam::{project.account_id}:role/AlphausAcctAccessRole"
    assert f"iam:CreateRole on {role} (outside the permissions boundary)" in line["fix"]


def test_a_wrong_account_is_a_problem_with_its_way_out(sandbox, operator):
    project = sandbox.project("linked-1", "wrong account")
    result = project("doctor", "--aws-profile", "linked-2")
    assert result.returncode == 1
    assert "✗ account" in result.stdout
    assert "--aws-profile" in result.stdout
