"""A target whose making was interrupted, or failed over its tolerance: the next plain run goes on.

Terraform marks such a target as tainted, and by itself would take out every account and start anew.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.sandbox import control
from tests.e2e.conftest import Project, RunningSandbox

SANDBOX = ("--linked", "8")
NAME = "alphaus-api-access-stackset"


@pytest.fixture(scope="module")
def ous(sandbox) -> dict[str, str]:
    """The OUs right under the root, by name."""
    organizations = sandbox.client("payer", "organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    found = organizations.list_organizational_units_for_parent(ParentId=root)
    return {ou["Name"]: ou["Id"] for ou in found["OrganizationalUnits"]}


@pytest.fixture(scope="module")
def payer(sandbox, ous) -> Project:
    """A payer that is registered, and asks for a StackSet from now on."""
    project = sandbox.project("payer")
    applied = project("apply", "--yes", "--wait", "30s")
    assert applied.returncode == 0, applied.stderr
    sandbox.client("payer", "cloudformation").activate_organizations_access()
    project.settings(use_stackset=True, stackset_targets=[ous["Workloads"]])
    return project


def operations(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    client = sandbox.client("payer", "cloudformation")
    sets = client.list_stack_sets()["Summaries"]
    found: list[dict[str, Any]] = []
    if sets:
        found = client.list_stack_set_operations(StackSetName=NAME)["Summaries"]
    return found


def tainted(project: Project) -> int:
    return (project.root / "terraform.tfstate").read_text().count('"tainted"')


def goes_on(sandbox: RunningSandbox, project: Project) -> None:
    """A plain apply ends well, takes nobody out, and leaves nothing to do."""
    assert tainted(project) == 1
    applied = project("apply", "--yes", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "going on where an earlier run ended" in applied.stderr
    assert "0 to destroy" in applied.stderr or "No changes" in applied.stderr
    assert json.loads(applied.stdout)["areas"]["stackset"] == "pass"
    assert "DELETE" not in {o["Action"] for o in operations(sandbox)}
    assert tainted(project) == 0
    assert project("plan", "--detailed-exitcode").returncode == 0


def interrupted(project: Project, when: Callable[[], bool]) -> None:
    """An apply that gets a Ctrl-C as soon as something is so."""
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "apply", "--yes"],
        cwd=project.folder,
        env=project.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 90
    while not when():
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors


def test_ctrl_c_while_the_set_is_made(sandbox, payer):
    """AWS has it at once, Terraform writes it down 18 s later: the next plan takes it over."""
    client = sandbox.client("payer", "cloudformation")
    interrupted(payer, lambda: bool(client.list_stack_sets()["Summaries"]))
    state = json.loads((payer.root / "terraform.tfstate").read_text())
    assert "aws_cloudformation_stack_set" not in {r["type"] for r in state["resources"]}
    plan = json.loads(payer("plan", "--json").stdout)
    actions = {change["type"]: change["action"] for change in plan["changes"]}
    # Imported, and what an import cannot read is set.
    assert actions["aws_cloudformation_stack_set"] == "update"
    assert plan["totals"]["destroy"] == 0


def test_ctrl_c_while_accounts_are_deployed_to(sandbox, payer):
    endpoint = sandbox.environ["AWS_ENDPOINT_URL"]
    control.pace(endpoint, 8)
    interrupted(payer, lambda: any(o["Status"] == "RUNNING" for o in operations(sandbox)))
    goes_on(sandbox, payer)
    control.pace(endpoint, 0)


def test_every_account_of_a_target_fails(sandbox, ous, payer):
    endpoint = sandbox.environ["AWS_ENDPOINT_URL"]
    denied = {"service": "cloudformation", "action": "CreateStack", "error": "AccessDenied"}
    control.add_fault(endpoint, denied)
    octo_yaml = payer.folder / "octo.yaml"
    text = octo_yaml.read_text()
    octo_yaml.write_text(
        text.replace("stackset_targets: [", f'stackset_targets: ["{ous["Platform"]}", ')
    )
    failed = payer("apply", "--yes")
    assert failed.returncode == 1
    assert "service control policy" in failed.stderr
    control.clear_faults(endpoint)
    goes_on(sandbox, payer)
