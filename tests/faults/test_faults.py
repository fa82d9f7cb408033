"""Each fault of the matrix: what the user sees, and that the next plain run completes the job."""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time

import pexpect
import pytest
from filelock import FileLock

from orchestrator.sandbox import control
from orchestrator.terraform import process_group, run_log
from tests.e2e.conftest import EXTERNAL_ID, Checkpoint, Project, RunningSandbox
from tests.faults.matrix import (
    CASES,
    Case,
    plan_cut_short,
    program,
    state_is_whole,
)
from tests.waiting import wait_until

BUCKET = "billing-data-of-the-payer"


@pytest.fixture(scope="module")
def prepared(unused_sandbox) -> Checkpoint:
    """A rendered and initialized folder per account: few cases are about init."""
    sandbox = unused_sandbox()
    bucket = sandbox.existing_bucket("payer", BUCKET)
    sandbox.project("linked-1", "linked")
    sandbox.project("payer", **bucket, cur_s3_bucket_merge_policy=True)
    for project in sandbox.projects.values():
        assert project("plan").returncode == 0
    return sandbox.checkpoint()


@pytest.fixture(scope="module")
def registered(unused_sandbox, prepared) -> Checkpoint:
    """The same folders after a first apply in each."""
    sandbox = unused_sandbox()
    for project in sandbox.restore(prepared).values():
        applied = project("apply", "--yes", "--wait", "30s")
        assert applied.returncode == 0, applied.stderr
    return sandbox.checkpoint()


@pytest.fixture
def linked(sandbox, prepared) -> Project:
    """A linked account with nothing in it, and a folder that is ready to apply."""
    return sandbox.restore(prepared)["linked"]


def run_limited(project: Project, arguments, environ, limits) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for kind, values in limits:
            resource.setrlimit(kind, values)

    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=project.folder,
        env={**project.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=limit,
    )


def completes(project: Project, *, state_is_damaged: bool = False) -> None:
    """The next plain run does the whole job; nothing was lost, half-written or left locked."""
    assert state_is_whole(project.root) is not state_is_damaged
    after = project("apply", "--yes", "--json", "--wait", "30s")
    assert after.returncode == 0, after.stdout + after.stderr
    assert json.loads(after.stdout)["areas"]["api_access"] == "pass"
    assert state_is_whole(project.root)
    assert project("plan", "--detailed-exitcode").returncode == 0
    assert not (project.root / run_log.NAME).exists()
    assert not list(project.root.rglob("*.tmp"))
    assert not (project.root / "octo.tfplan").exists()
    assert EXTERNAL_ID not in after.stdout + after.stderr


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_fault(sandbox, request, case: Case):
    begin = request.getfixturevalue("registered" if case.registered else "prepared")
    project = sandbox.restore(begin)[case.account]
    arranged = case.arrange(project) if case.arrange else contextlib.nullcontext({})
    with arranged as settings:
        for fault in case.faults:
            sandbox.fault(**fault)
        result = run_limited(
            project,
            (*case.command, *settings.get("arguments", ()), *("--wait", "30s")),
            settings.get("environ", {}),
            settings.get("limits", ()),
        )
        happened = [f["happened"] for f in control.faults(sandbox.endpoint)]
        sandbox.clear_faults()
    shown = " ".join((result.stdout + result.stderr).split())
    assert result.returncode == case.code, shown
    assert all(happened), "the fault never struck"
    if case.sees != "passes":
        assert case.sees in shown
    assert "Traceback" not in shown
    assert EXTERNAL_ID not in shown
    completes(project, state_is_damaged=case.damages_state)


def test_a_plan_that_is_no_more_is_replaced_as_its_error_says(linked):
    with plan_cut_short(linked) as settings:
        refused = linked("apply", *settings["arguments"])
    assert refused.returncode == 1
    (advice,) = re.findall(r"`octo-tf (plan --out) FILE`", refused.stderr)
    file = settings["arguments"][-1]
    assert linked(*advice.split(), file).returncode == 0
    applied = linked("apply", "--plan", file)
    assert applied.returncode == 0, applied.stderr


# Interrupts


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=project.folder,
        env=project.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def strikes(sandbox: RunningSandbox) -> bool:
    return any(f["happened"] > f["after"] for f in control.faults(sandbox.endpoint))


# A slow call at each step, to be interrupted in.
SLOW = {
    "identify": ("sts", "GetCallerIdentity", 0),
    "plan": ("sts", "GetCallerIdentity", 1),
    "apply": ("iam", "PutRolePolicy", 0),
    "verify": ("iam", "SimulatePrincipalPolicy", 0),
}


@pytest.mark.parametrize("step", SLOW)
@pytest.mark.parametrize(
    "kind",
    [signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
    ids=["ctrl-c", "terminated", "hung up"],
)
def test_an_interrupted_run_ends_in_order_and_the_next_one_goes_on(sandbox, linked, step, kind):
    service, action, after = SLOW[step]
    sandbox.fault(service=service, action=action, latency=4, after=after, times=1)
    process = start(linked, "apply", "--yes")
    wait_until(lambda: strikes(sandbox), "the slow call")
    process.send_signal(kind)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 130, errors
    assert "Run the same command again" in errors
    assert "Traceback" not in errors
    if step in ("plan", "apply"):
        assert "finishes the calls under way and saves its state" in errors
    with (
        FileLock(linked.root / "run.lock", timeout=0)
        if linked.root.exists()
        else (contextlib.nullcontext())
    ):
        pass  # nothing is left locked
    completes(linked)


STUBBORN = """case "$1" in apply)
  n=0; trap 'n=$((n+1)); [ $n -lt 2 ] || exit 1' INT
  touch applying; while :; do sleep 0.1; done;;
esac
exec "{terraform}" "$@"
"""


def test_a_second_ctrl_c_ends_at_once_and_says_what_may_be_left(linked):
    with program(STUBBORN)(linked) as settings:
        process = start(linked, "apply", "--yes", *settings["arguments"])
        wait_until((linked.root / "applying").exists, "Terraform applies")
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None  # it waits for Terraform
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=180)
    assert process.returncode == 130
    assert "resources may exist that its state does not know" in " ".join(errors.split())
    completes(linked)


@pytest.mark.parametrize("step", SLOW)
def test_a_killed_run_can_simply_be_run_again(sandbox, linked, step):
    service, action, after = SLOW[step]
    sandbox.fault(service=service, action=action, latency=3, after=after, times=1)
    process = start(linked, "apply", "--yes")
    wait_until(lambda: strikes(sandbox), "the slow call")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=180)
    completes(linked)


def slow_apply(sandbox: RunningSandbox, seconds: int = 6) -> None:
    """Makes the call after the role's creation slow."""
    sandbox.fault(service="iam", action="PutRolePolicy", latency=seconds, times=1)


def terraform_of(project: Project) -> int:
    """The process id of the Terraform that is at work in a project's root folder."""
    first = (project.root / run_log.NAME).read_text().splitlines()
    (line,) = (line for line in first if run_log.is_note(line))
    return int(line.split()[-1])


def test_after_octo_tf_was_killed_terraform_finishes_and_the_next_run_waits_for_it(sandbox, linked):
    slow_apply(sandbox, 30)
    process = start(linked, "apply", "--yes")
    wait_until(lambda: strikes(sandbox), "the slow call")
    pid = terraform_of(linked)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    after = linked("apply", "--yes", "--wait", "30s")
    assert after.returncode == 0, after.stderr
    assert f"An earlier Terraform (process {pid}) is still finishing" in after.stderr
    state = (linked.root / "terraform.tfstate").read_text()
    assert "aws_iam_role_policy" in state
    assert json.loads(state)["serial"] > 1
    completes(linked)


def test_a_terraform_that_was_killed_is_said_and_takes_its_provider_along(sandbox, linked):
    slow_apply(sandbox)
    process = start(linked, "apply", "--yes")
    wait_until(lambda: strikes(sandbox), "the slow call")
    pid = terraform_of(linked)
    assert any("terraform-provider-aws" in name for name in names_of(pid))
    os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 1, errors
    assert "terraform apply was killed by SIGKILL" in errors
    assert "Run the same command again" in errors
    assert names_of(pid) == []
    completes(linked)


def names_of(group: int) -> list[str]:
    """The command lines of a process group's running members."""
    return [" ".join(process.cmdline()) for process in process_group.members(group)]


def test_a_terminal_that_is_closed_stops_the_run_in_order(sandbox, linked):
    slow_apply(sandbox)
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "orchestrator", "apply", "--yes"],
        cwd=str(linked.folder),
        env=linked.environ,
    )
    wait_until(lambda: strikes(sandbox), "the slow call")
    pid = terraform_of(linked)
    os.close(terminal.child_fd)  # the kernel hangs up
    os.waitpid(terminal.pid, 0)
    assert names_of(pid) == []
    assert not (linked.root / run_log.NAME).exists()
    assert not (linked.root / ".terraform.tfstate.lock.info").exists()
    completes(linked)
