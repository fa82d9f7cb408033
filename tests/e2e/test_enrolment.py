"""With recommendations, the account is enrolled after consent, and un-enrolled only as it was."""

from __future__ import annotations

import json

from tests.e2e.conftest import Project, RunningSandbox

HUB, OPTIMIZER = "cost-optimization-hub", "compute-optimizer"
ROLES = {
    "AWSServiceRoleForCostOptimizationHub",
    "AWSServiceRoleForComputeOptimizer",
    "AWSServiceRoleForTrustedAdvisor",
}


def active(sandbox: RunningSandbox, service: str) -> set[str]:
    """The accounts of the organization that are enrolled in a service."""
    client = sandbox.client("payer", service)
    if service == HUB:
        items = client.list_enrollment_statuses(includeOrganizationInfo=True)["items"]
    else:
        own = {**client.get_enrollment_status(), "accountId": sandbox.account("payer")}
        members = client.get_enrollment_statuses_for_organization()["accountEnrollmentStatuses"]
        items = [own, *members]
    return {item["accountId"] for item in items if item["status"] == "Active"}


def service_roles(sandbox: RunningSandbox, profile: str) -> set[str]:
    found = sandbox.client(profile, "iam").list_roles()["Roles"]
    return {role["RoleName"] for role in found} & ROLES


def outside(project: Project) -> list[str]:
    """The codes of what a plan announces beside Terraform's changes."""
    return [a["code"] for a in json.loads(project("plan", "--json").stdout)["outside"]]


def test_what_apply_enrols_destroy_ends_and_nothing_else(unused_sandbox):
    sandbox = unused_sandbox()
    member = sandbox.account("linked-1")
    sandbox.client("linked-1", OPTIMIZER).update_enrollment_status(status="Active")
    sandbox.idle_instance("payer")
    payer = sandbox.project("payer", features=["cost", "recommendations"], enrolment="organization")
    assert outside(payer)[-3:] == ["aws.enrol", "aws.enrol_members", "aws.enrol_members"]
    assert active(sandbox, HUB) == set()  # a plan changes nothing

    applied = payer("apply", "--yes", "--wait", "60s", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    checks = {check["id"]: check for check in json.loads(applied.stdout)["checks"]}
    assert checks["recommendations.enrolment"]["status"] == "pass"
    everybody = active(sandbox, HUB)
    assert {sandbox.account(p) for p in ("payer", "linked-1", "linked-2")} <= everybody
    assert active(sandbox, OPTIMIZER) == everybody
    assert service_roles(sandbox, "payer") == ROLES
    assert payer("plan", "--detailed-exitcode").returncode == 0

    leave = ("destroy", "--yes", "--confirm-account", payer.account_id, "--with-enrolments")
    left = payer(*leave)
    assert left.returncode == 0, left.stdout + left.stderr
    assert active(sandbox, HUB) == set()
    # Its API lets each account end its own enrolment only; one was enrolled before anyway.
    assert active(sandbox, OPTIMIZER) == everybody - {payer.account_id} > {member}
    assert "member accounts' enrolments in Compute Optimizer" in left.stderr
    assert service_roles(sandbox, "payer") == set()
    second = payer(*leave)
    assert second.returncode == 0
    assert "Nothing to do" in second.stderr
