"""A rotation of the external id that is killed in either phase; Octo is refused at no moment."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from orchestrator.sandbox import control
from tests.e2e.conftest import Checkpoint, RunningSandbox
from tests.e2e.test_rotate import MEMBERS, NEW, accepted, phase, present, registered, rotate
from tests.waiting import wait_until

OCTO = True
__all__ = ["registered"]


@pytest.fixture(scope="module")
def waiting(unused_sandbox, registered: Checkpoint) -> Checkpoint:
    """A payer whose roles accept both ids."""
    sandbox = unused_sandbox()
    rotate(sandbox.restore(registered)["payer"], code=4, OCTO_TF_NEW_EXTERNAL_ID=NEW)
    return sandbox.checkpoint()


def killed(sandbox: RunningSandbox, service: str, action: str, **environ: str) -> None:
    """Starts the command, and kills octo-tf alone while a call is under way."""
    payer = sandbox.projects["payer"]
    sandbox.fault(service=service, action=action, latency=4, times=1)
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "rotate-external-id", "--yes", "--wait", "60s"],
        cwd=payer.folder,
        env={**payer.environ, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(
        lambda: (
            process.poll() is not None
            or any(fault["happened"] for fault in control.faults(sandbox.endpoint))
        ),
        "the slow call",
    )
    process.send_signal(signal.SIGKILL)
    output = "".join(process.communicate(timeout=180))
    assert process.returncode == -signal.SIGKILL, f"it ended before the call: {output}"
    sandbox.clear_faults()


# A role of the payer, and the StackSet with its linked accounts.
CALLS = [("iam", "UpdateAssumeRolePolicy"), ("cloudformation", "UpdateStackSet")]


def settle(sandbox: RunningSandbox) -> None:
    """Waits for the StackSet operation that a killed run left behind: a rotation refuses it."""
    wait_until(lambda: all(o["Status"] != "RUNNING" for o in sandbox.operations()), "it settles")


@pytest.mark.parametrize(("service", "action"), CALLS)
def test_a_first_phase_that_was_killed_goes_on(sandbox, registered, service, action):
    payer = sandbox.restore(registered)["payer"]
    old = present(sandbox)
    killed(sandbox, service, action, OCTO_TF_NEW_EXTERNAL_ID=NEW)
    assert all(old in ids for ids in accepted(sandbox, *MEMBERS))  # Octo is not refused
    settle(sandbox)
    rotate(payer, code=4)
    assert accepted(sandbox, *MEMBERS) == [sorted([old, NEW])] * 3
    assert phase(payer) == "waiting"


@pytest.mark.parametrize(("service", "action"), [*CALLS, ("octo", "CreateAccountAccessStackset")])
def test_a_second_phase_that_was_killed_goes_on(sandbox, waiting, service, action):
    payer = sandbox.restore(waiting)["payer"]
    control.change_external_id(sandbox.endpoint, NEW)
    killed(sandbox, service, action)
    assert all(NEW in ids for ids in accepted(sandbox, *MEMBERS))
    settle(sandbox)
    rotate(payer, code=0)
    assert accepted(sandbox, *MEMBERS) == [[NEW]] * 3
    assert phase(payer) == "done"


def test_an_operation_of_the_stackset_is_not_disturbed(sandbox, registered):
    payer = sandbox.restore(registered)["payer"]
    control.pace(sandbox.endpoint, 60)
    client = sandbox.client("payer", "cloudformation")
    (name,) = [found["StackSetName"] for found in client.list_stack_sets()["Summaries"]]
    client.update_stack_set(
        StackSetName=name, UsePreviousTemplate=True, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    refused = rotate(payer, code=5, OCTO_TF_NEW_EXTERNAL_ID=NEW)
    assert "of the StackSet is running" in refused.stderr
    assert "external_id_rotation" not in (payer.folder / "octo.yaml").read_text()
