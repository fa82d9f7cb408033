"""Each fault of the matrix: what the user sees, and that the next plain run completes the job."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pexpect
import pytest
from filelock import FileLock

from orchestrator.sandbox import control
from orchestrator.terraform import process_group, run_log
from tests.e2e.conftest import EXTERNAL_ID, Project, RunningSandbox
from tests.faults.matrix import CASES, Case, program, state_is_whole, wait_until

BUCKET = "billing-data-of-the-payer"
PROFILES = {"linked": "linked-1", "payer": "payer"}


@pytest.fixture(scope="module")
def prepared(sandbox) -> dict[str, Project]:
    """A rendered and initialised folder per account, to copy: few cases are about init."""
    s3 = sandbox.client("payer", "s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_public_access_block(
        Bucket=BUCKET,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    # An existing bucket: a new one would take the provider a minute for each case.
    existing = {
        "cur_s3_bucket_option": "USE_EXISTING",
        "cur_s3_bucket_name": BUCKET,
        "cur_s3_bucket_merge_policy": True,
    }
    projects = {
        "linked": sandbox.project("linked-1", "prepared linked"),
        "payer": sandbox.project("payer", "prepared payer", **existing),
    }
    for project in projects.values():
        assert project("plan").returncode == 0
    return projects


def clean(sandbox: RunningSandbox, profile: str) -> None:
    """Removes what an earlier case made in the account."""
    control.clear_faults(sandbox.environ["AWS_ENDPOINT_URL"])
    iam = sandbox.client(profile, "iam")
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        if name.startswith("Alphaus"):
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                iam.delete_role_policy(RoleName=name, PolicyName=policy)
            iam.delete_role(RoleName=name)
    if profile == "payer":
        cur, s3 = sandbox.client(profile, "cur"), sandbox.client(profile, "s3")
        for report in cur.describe_report_definitions()["ReportDefinitions"]:
            cur.delete_report_definition(ReportName=report["ReportName"])
        s3.delete_bucket_policy(Bucket=BUCKET)


@pytest.fixture
def fresh(sandbox, prepared, tmp_path):
    """A copy of a prepared folder, over an account with nothing in it."""

    def make(account: str, *, registered: bool = False) -> Project:
        clean(sandbox, PROFILES[account])
        template = prepared[account]
        folder = tmp_path / "project"
        shutil.copytree(template.folder, folder, symlinks=True)
        project = Project(folder, template.environ, template.account_id)
        if registered:
            first = project("apply", "--yes", "--wait", "30s")
            assert first.returncode == 0, first.stderr
        return project

    yield make
    control.clear_faults(sandbox.environ["AWS_ENDPOINT_URL"])


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
def test_fault(sandbox, fresh, case: Case):
    project = fresh(case.account, registered=case.registered)
    arranged = case.arrange(project) if case.arrange else contextlib.nullcontext({})
    with arranged as settings:
        for fault in case.faults:
            control.add_fault(sandbox.environ["AWS_ENDPOINT_URL"], fault)
        result = run_limited(
            project,
            (*case.command, *settings.get("arguments", ()), *("--wait", "30s")),
            settings.get("environ", {}),
            settings.get("limits", ()),
        )
        happened = [f["happened"] for f in control.faults(sandbox.environ["AWS_ENDPOINT_URL"])]
        control.clear_faults(sandbox.environ["AWS_ENDPOINT_URL"])
    shown = " ".join((result.stdout + result.stderr).split())
    assert result.returncode == case.code, shown
    assert all(happened), "the fault never struck"
    if case.sees != "passes":
        assert case.sees in shown
    assert "Traceback" not in shown
    assert EXTERNAL_ID not in shown
    completes(project, state_is_damaged=case.damages_state)


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
    return any(f["happened"] for f in control.faults(sandbox.environ["AWS_ENDPOINT_URL"]))


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
def test_an_interrupted_run_ends_in_order_and_the_next_one_goes_on(sandbox, fresh, step, kind):
    project = fresh("linked")
    service, action, after = SLOW[step]
    fault = {"service": service, "action": action, "latency": 4, "after": after, "times": 1}
    control.add_fault(sandbox.environ["AWS_ENDPOINT_URL"], fault)
    process = start(project, "apply", "--yes")
    wait_until(lambda: strikes(sandbox))
    if step == "plan":  # octo-tf's own call came first
        time.sleep(2.5)
    process.send_signal(kind)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Run the same command again" in errors
    assert "Traceback" not in errors
    if step in ("plan", "apply"):
        assert "finishes the calls under way and saves its state" in errors
    with (
        FileLock(project.root / "run.lock", timeout=0)
        if project.root.exists()
        else (contextlib.nullcontext())
    ):
        pass  # nothing is left locked
    completes(project)


STUBBORN = """case "$1" in apply)
  n=0; trap 'n=$((n+1)); [ $n -lt 2 ] || exit 1' INT
  touch applying; while :; do sleep 0.1; done;;
esac
exec "{terraform}" "$@"
"""


def test_a_second_ctrl_c_ends_at_once_and_says_what_may_be_left(fresh):
    project = fresh("linked")
    with program(STUBBORN)(project) as settings:
        process = start(project, "apply", "--yes", *settings["arguments"])
        wait_until((project.root / "applying").exists)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None  # it waits for Terraform
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "resources may exist that its state does not know" in " ".join(errors.split())
    completes(project)


@pytest.mark.parametrize("step", SLOW)
def test_a_killed_run_can_simply_be_run_again(sandbox, fresh, step):
    project = fresh("linked")
    service, action, after = SLOW[step]
    fault = {"service": service, "action": action, "latency": 3, "after": after, "times": 1}
    control.add_fault(sandbox.environ["AWS_ENDPOINT_URL"], fault)
    process = start(project, "apply", "--yes")
    wait_until(lambda: strikes(sandbox))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    completes(project)


def slow_apply(sandbox: RunningSandbox, project: Project, seconds: int = 6) -> None:
    """Makes the call after the role's creation slow."""
    fault = {"service": "iam", "action": "PutRolePolicy", "latency": seconds, "times": 1}
    control.add_fault(sandbox.environ["AWS_ENDPOINT_URL"], fault)


def terraform_of(project: Project) -> int:
    """The process id of the Terraform that is at work in a project's root folder."""
    first = (project.root / run_log.NAME).read_text().splitlines()
    (line,) = (line for line in first if run_log.is_note(line))
    return int(line.split()[-1])


def test_after_octo_tf_was_killed_terraform_finishes_and_the_next_run_waits_for_it(sandbox, fresh):
    project = fresh("linked")
    slow_apply(sandbox, project)
    process = start(project, "apply", "--yes")
    wait_until(lambda: strikes(sandbox))
    pid = terraform_of(project)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    after = project("apply", "--yes", "--wait", "30s")
    assert after.returncode == 0, after.stderr
    assert f"An earlier Terraform (process {pid}) is still finishing" in after.stderr
    state = (project.root / "terraform.tfstate").read_text()
    assert "aws_iam_role_policy" in state
    assert json.loads(state)["serial"] > 1
    completes(project)


def test_a_terraform_that_was_killed_is_said_and_takes_its_provider_along(sandbox, fresh):
    project = fresh("linked")
    slow_apply(sandbox, project)
    process = start(project, "apply", "--yes")
    wait_until(lambda: strikes(sandbox))
    pid = terraform_of(project)
    assert any("terraform-provider-aws" in name for name in names_of(pid))
    os.kill(pid, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    assert "terraform apply was killed by SIGKILL" in errors
    assert "Run the same command again" in errors
    assert names_of(pid) == []
    completes(project)


def names_of(group: int) -> list[str]:
    """The command lines of a process group's running members."""
    return [" ".join(process.cmdline()) for process in process_group.members(group)]


def test_a_terminal_that_is_closed_stops_the_run_in_order(sandbox, fresh):
    project = fresh("linked")
    slow_apply(sandbox, project)
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "orchestrator", "apply", "--yes"],
        cwd=str(project.folder),
        env=project.environ,
    )
    wait_until(lambda: strikes(sandbox))
    pid = terraform_of(project)
    os.close(terminal.child_fd)  # the kernel hangs up
    os.waitpid(terminal.pid, 0)
    assert names_of(pid) == []
    assert not (project.root / run_log.NAME).exists()
    assert not (project.root / ".terraform.tfstate.lock.info").exists()
    completes(project)
