"""What is predicted of an organization's policies, compared with what the sandbox then does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orchestrator.aws import control_policies
from orchestrator.aws.session import Aws
from orchestrator.sandbox import control
from orchestrator.stacks.templates import linked_template
from tests import guardrails
from tests.guardrails import Organization

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/schemas/preflight-v1.json").read_text(encoding="utf-8"))
# `make organizations` takes others, and many more.
COMPARED = (0, 12, 105, 112, 117, 146)
EXEMPTED = (0, 4, 112, 146)
PERIMETER = "RESOURCE_CONTROL_POLICY"


@pytest.fixture
def restored(sandbox) -> Iterator[None]:
    control.snapshot(sandbox.endpoint_url, "before")
    yield
    control.restore(sandbox.endpoint_url, "before")


@pytest.mark.parametrize("seed", COMPARED)
def test_every_account_that_fails_was_predicted_and_every_prediction_fails(session, restored, seed):
    guardrails.check_prediction(session("payer"), session("octo"), seed)


@pytest.mark.parametrize("seed", EXEMPTED)
def test_with_the_proposed_exemptions_nothing_fails(session, restored, seed):
    guardrails.check_exemptions(session("payer"), session("octo"), seed)


@pytest.fixture
def organization(session, restored) -> Organization:
    """An organization with both policy types, and no policy of its own yet."""
    made = Organization(session("payer"), session("octo"), seed=1)
    root = made.client.list_roots()["Roots"][0]["Id"]
    for kind in ("SERVICE_CONTROL_POLICY", PERIMETER):
        made.client.enable_policy_type(RootId=root, PolicyType=kind)
    return made


@pytest.fixture
def octo_tf(session, tmp_path):
    """Runs octo-tf for the payer in a folder of its own."""
    settings = {
        "account_id": guardrails.PAYER,
        "external_id": "an-external-id",
        "use_stackset": True,
        "stackset_name": guardrails.STACKSET,
        "credentials": {"profile": "payer"},
    }
    (tmp_path / "octo.yaml").write_text(json.dumps(settings))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def deny(action: str, **condition: Any) -> list[dict[str, Any]]:
    statement = {"Sid": "No", "Effect": "Deny", "Action": action, "Resource": "*"}
    return [{**statement, "Condition": condition}]


def test_a_caller_who_may_not_read_policies_learns_which_permission_is_missing(
    organization, octo_tf, user
):
    listing = ("organizations:ListRoots", "organizations:ListPolicies")
    for granted, missing in ((listing[:1], "ListPolicies"), (listing, "DescribePolicy")):
        organization.attach(
            "SERVICE_CONTROL_POLICY", missing, deny("s3:*"), organization.aws_root()
        )
        found = control_policies.read(Aws(user("payer", *granted)))
        assert f"organizations:{missing}" in found.denied
        assert not found.policies


def test_preflight_says_who_is_cut_off_by_what_and_what_to_paste(sandbox, organization, octo_tf):
    one, two = sandbox.accounts["linked-1"], sandbox.accounts["linked-2"]
    policy = organization.attach("SERVICE_CONTROL_POLICY", "roles", deny("iam:CreateRole"), one)
    own = organization.client.describe_organization()["Organization"]["Id"]
    outside = deny("sts:AssumeRole", StringNotEqualsIfExists={"aws:PrincipalOrgID": own})
    organization.attach(PERIMETER, "perimeter", [{**outside[0], "Principal": "*"}], two)
    before = control.changes(sandbox.endpoint_url)
    result = octo_tf("preflight", "--json")
    assert result.returncode == 3, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["cut_off"] == sorted([one, two])
    deployment, access = document["obstacles"]
    assert deployment["policies"][0]["id"] == policy
    assert (deployment["statement"], deployment["attached_to"]) == ("statement No", [one])
    assert deployment["exemption"]["Condition"] == {
        "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/stacksets-exec-*"}
    }
    assert access["exemption"]["Condition"]["StringNotEquals"] == {
        "aws:PrincipalAccount": "131920598436"
    }
    shown = octo_tf("preflight").stdout
    assert f"statement No of SCP roles-{one} ({policy})" in shown
    assert control.changes(sandbox.endpoint_url) == before


def test_the_doctor_names_the_accounts_that_are_cut_off_as_a_problem(
    sandbox, organization, octo_tf
):
    organization.attach(
        "SERVICE_CONTROL_POLICY", "roles", deny("iam:*"), sandbox.accounts["linked-1"]
    )
    checks = {c["id"]: c for c in json.loads(octo_tf("doctor", "--json").stdout)["checks"]}
    assert checks["organization"]["status"] == "problem"
    assert "cut 1 linked account off" in checks["organization"]["summary"]


def test_accounts_whose_deployment_another_one_cancelled_are_repaired_one_by_one(
    sandbox, session, organization, octo_tf
):
    cloudformation = session("payer").client("cloudformation")
    cloudformation.activate_organizations_access()
    cloudformation.create_stack_set(
        StackSetName=guardrails.STACKSET,
        TemplateBody=linked_template(organization.inputs),
        Parameters=[
            {"ParameterKey": "ExternalId", "ParameterValue": "an-external-id"},
            {"ParameterKey": "Principal", "ParameterValue": "131920598436"},
        ],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        PermissionModel="SERVICE_MANAGED",
        AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True},
    )
    root = organization.aws_root()
    cloudformation.create_stack_instances(
        StackSetName=guardrails.STACKSET,
        DeploymentTargets={"OrganizationalUnitIds": [root]},
        Regions=["us-east-1"],
        OperationPreferences={"MaxConcurrentPercentage": 100},
    )
    policy = organization.attach("SERVICE_CONTROL_POLICY", "no", deny("iam:CreateRole"), root)
    control.pace(sandbox.endpoint_url, 600)
    for name in ("first", "second"):
        organization.client.create_account(AccountName=name, Email=f"{name}@example.com")
    control.pace(sandbox.endpoint_url, 0)  # both are made, and deployed to, by the next call
    states = json.loads(octo_tf("stackset", "status", "--json").stdout)["accounts"]
    lacking = {a["name"]: (i, a["reason"]) for i, a in states.items() if a["state"] == "failed"}
    (failed,) = (n for n, (_, reason) in lacking.items() if "explicit deny" in reason[:400])
    reasons = dict(lacking.values())
    cancelled = next(i for i, reason in reasons.items() if reason.startswith("not tried"))
    first = next(i for i in reasons if i != cancelled)
    assert f"failed in account {first} first" in reasons[cancelled]
    assert failed
    organization.client.detach_policy(PolicyId=policy, TargetId=root)
    one = octo_tf("stackset", "retry", cancelled, "--yes", "--json")
    assert one.returncode == 3, one.stderr
    assert [a for a, s in lacking_accounts(one).items()] == [first]
    organization.client.close_account(AccountId=cancelled)
    closed = octo_tf("stackset", "retry", cancelled, first, "--yes", "--json")
    assert closed.returncode == 0, closed.stderr
    left = cloudformation.list_stack_instances(StackSetName=guardrails.STACKSET)["Summaries"]
    assert cancelled not in {i["Account"] for i in left}
    assert octo_tf("stackset", "retry", first, "--yes").returncode == 64


def lacking_accounts(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    accounts = json.loads(result.stdout)["accounts"]
    return {i: a for i, a in accounts.items() if a["state"] in ("failed", "missing")}
