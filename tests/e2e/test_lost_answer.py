"""What AWS has although Terraform never learned of it: the next plain apply takes it over."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import EXTERNAL_ID, Project, RunningSandbox
from tests.registered import ROLE, trust

DESCRIPTION = "Octo reads cost, inventory and organization data."


@pytest.fixture
def iam(sandbox):
    return sandbox.client("linked-1", "iam")


@pytest.fixture
def linked(sandbox, iam, request) -> Project:
    yield sandbox.project("linked-1", request.node.name)
    for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
    for policy in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=ROLE, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=ROLE)


def make(iam, *, external_id: str = EXTERNAL_ID, description: str = DESCRIPTION) -> str:
    made = iam.create_role(
        RoleName=ROLE, AssumeRolePolicyDocument=trust(external_id), Description=description
    )
    return made["Role"]["RoleId"]


def taken_over(project: Project, iam, role_id: str) -> None:
    applied = project("apply", "--yes", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "0 to destroy" in applied.stderr
    assert json.loads(applied.stdout)["areas"]["api_access"] == "pass"
    assert iam.get_role(RoleName=ROLE)["Role"]["RoleId"] == role_id
    assert project("plan", "--detailed-exitcode").returncode == 0
    assert project("render", "--check").returncode == 0


def test_a_role_just_as_the_module_makes_it(linked, iam):
    taken_over(linked, iam, make(iam))


def test_a_role_that_a_killed_run_was_about_to_make(sandbox: RunningSandbox, linked, iam):
    """It says so in the root folder; the external id was corrected since."""
    refused = {"service": "iam", "action": "CreateRole", "error": "AccessDenied"}
    from orchestrator.sandbox import control

    control.add_fault(sandbox.environ["AWS_ENDPOINT_URL"], refused)
    assert linked("apply", "--yes").returncode == 1
    control.clear_faults(sandbox.environ["AWS_ENDPOINT_URL"])
    taken_over(linked, iam, make(iam, external_id="mistyped"))


def test_a_role_of_somebody_else_is_refused_before_anything_is_written(linked, iam):
    role_id = make(iam, external_id="another-id", description="by hand")
    result = linked("apply", "--yes")
    assert result.returncode == 5, result.stderr
    assert f"role {ROLE}: its trust is another one, its description is another one" in result.stderr
    assert "octo-tf adopt" in result.stderr
    assert "another-id" not in result.stderr
    assert iam.get_role(RoleName=ROLE)["Role"]["RoleId"] == role_id
    assert not (linked.root / "octo.tfplan").exists()


def test_a_policy_that_is_too_much_is_never_purged_unasked(linked, iam):
    make(iam)
    extra = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["iam:PassRole", "ce:GetTags"], "Resource": "*"}
        ],
    }
    iam.put_role_policy(RoleName=ROLE, PolicyName="extra", PolicyDocument=json.dumps(extra))
    result = linked("apply", "--yes")
    assert result.returncode == 5, result.stderr
    assert "inline policy extra: Octo loses iam:PassRole (passes roles on)" in result.stderr
    assert iam.list_role_policies(RoleName=ROLE)["PolicyNames"] == ["extra"]
