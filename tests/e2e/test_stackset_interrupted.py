"""A target whose making was interrupted, or failed over its tolerance: the next plain run goes on.

Terraform marks such a target as tainted, and by itself would take out every account and start
again.
"""

from __future__ import annotations

import json

import pytest

from orchestrator.sandbox import control
from tests.e2e.conftest import TWELVE, Checkpoint, Project, RunningSandbox

SANDBOX = TWELVE
NAME = "alphaus-api-access-stackset"


@pytest.fixture(scope="module")
def set_is_made(unused_sandbox, registered_payer) -> Checkpoint:
    """A payer that asks for a StackSet, and got a Ctrl-C while Terraform waited for it.

    AWS has it at once, Terraform writes it down 18 s later.
    """
    sandbox = unused_sandbox()
    payer = sandbox.restore(registered_payer)["payer"]
    client = sandbox.client("payer", "cloudformation")
    client.activate_organizations_access()
    payer.settings(use_stackset=True, stackset_targets=[sandbox.ous()["Workloads"]])
    payer.interrupted("apply", "--yes", when=lambda: bool(client.list_stack_sets()["Summaries"]))
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def deployed(unused_sandbox, set_is_made) -> Checkpoint:
    """The same payer after the next apply: its StackSet is in every account of its target."""
    sandbox = unused_sandbox()
    applied = sandbox.restore(set_is_made)["payer"]("apply", "--yes")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    return sandbox.checkpoint()


def tainted(project: Project) -> int:
    return (project.root / "terraform.tfstate").read_text().count('"tainted"')


def linked_in_ledger(project: Project) -> set[str]:
    ledger = project.root / "ledger.json"
    accounts = json.loads(ledger.read_text())["accounts"] if ledger.exists() else {}
    return {a for a, record in accounts.items() if record["account_type"] == "linked"}


def goes_on(sandbox: RunningSandbox, project: Project) -> None:
    """A plain apply ends well, takes nobody out, and leaves nothing to do."""
    assert tainted(project) == 1
    applied = project("apply", "--yes", "--json")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "its creation was interrupted: keep it instead of replacing it" in applied.stderr
    assert "0 to destroy" in applied.stderr or "No changes" in applied.stderr
    assert json.loads(applied.stdout)["areas"]["stackset"] == "pass"
    assert "DELETE" not in {o["Action"] for o in sandbox.operations()}
    assert tainted(project) == 0
    assert project("plan", "--detailed-exitcode").returncode == 0


def test_ctrl_c_while_the_set_is_made(sandbox, set_is_made):
    """The next plan takes it over."""
    payer = sandbox.restore(set_is_made)["payer"]
    state = json.loads((payer.root / "terraform.tfstate").read_text())
    assert "aws_cloudformation_stack_set" not in {r["type"] for r in state["resources"]}
    plan = json.loads(payer("plan", "--json").stdout)
    actions = {change["type"]: change["action"] for change in plan["changes"]}
    # Imported, and what an import cannot read is set.
    assert actions["aws_cloudformation_stack_set"] == "update"
    assert plan["totals"]["destroy"] == 0


def test_ctrl_c_while_accounts_are_deployed_to(sandbox, set_is_made):
    payer = sandbox.restore(set_is_made)["payer"]
    payer.settings(stackset_max_concurrent_percentage=34)  # two of six at a time
    control.pace(sandbox.endpoint, 12)
    payer.interrupted("apply", "--yes", when=lambda: bool(linked_in_ledger(payer)))
    # Those that were current are registered, though the others were still deployed to.
    client = sandbox.client("payer", "cloudformation")
    instances = client.list_stack_instances(StackSetName=NAME)["Summaries"]
    current = {i["Account"] for i in instances if i["Status"] == "CURRENT"}
    assert linked_in_ledger(payer) <= current
    assert 0 < len(current) < len(instances)
    control.pace(sandbox.endpoint, 0)
    goes_on(sandbox, payer)
    assert linked_in_ledger(payer) == {i["Account"] for i in instances}


def test_every_account_of_a_target_fails(sandbox, deployed):
    payer = sandbox.restore(deployed)["payer"]
    sandbox.fault(service="cloudformation", action="CreateStack", error="AccessDenied")
    octo_yaml = payer.folder / "octo.yaml"
    text = octo_yaml.read_text()
    octo_yaml.write_text(
        text.replace("stackset_targets: [", f'stackset_targets: ["{sandbox.ous()["Platform"]}", ')
    )
    failed = payer("apply", "--yes")
    assert failed.returncode == 1
    assert "service control policy" in failed.stderr
    sandbox.clear_faults()
    goes_on(sandbox, payer)
