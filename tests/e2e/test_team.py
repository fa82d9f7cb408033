"""State in S3, as teams keep it: encrypted, locked by S3 itself, and unlocked when a run died."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from orchestrator.sandbox import control
from orchestrator.terraform import run_log
from tests.e2e.conftest import Checkpoint, Project
from tests.waiting import wait_until

BUCKET, KEY = "team-terraform-state", "octo/account.tfstate"
LOCK = {
    "ID": "5d4f1f6c-0000-4000-8000-2b1c3d4e5f60",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Version": "1.11.4",
    "Created": "2026-01-02T03:04:05.678901234Z",
    "Path": f"{BUCKET}/{KEY}",
}


@pytest.fixture(scope="module")
def registered(unused_sandbox) -> Checkpoint:
    sandbox = unused_sandbox()
    s3 = sandbox.client("standalone", "s3")
    s3.create_bucket(Bucket=BUCKET)
    project = sandbox.project("linked-1", "team")
    # The bucket is in an account of its own: its policy lets the registered account in.
    s3.put_bucket_policy(
        Bucket=BUCKET,
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": f"arn:aws:iam::{project.account_id}:root"},
                        "Action": "s3:*",
                        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
                    }
                ],
            }
        ),
    )
    project.settings(
        backend={"type": "s3", "bucket": BUCKET, "key": KEY, "region": "us-east-1"},
    )
    lost = project("apply", "--yes")  # the ambient credentials are the payer's
    assert lost.returncode == 1
    assert "backend.profile" in lost.stderr
    settings = (project.folder / "octo.yaml").read_text()
    (project.folder / "octo.yaml").write_text(
        settings.replace('"type": "s3"', '"type": "s3", "profile": "linked-1"')
    )
    applied = project("apply", "--yes")
    assert applied.returncode == 0, applied.stderr
    return sandbox.checkpoint()


@pytest.fixture
def team(sandbox, registered) -> Project:
    """A linked account whose state is in a bucket of another account."""
    return sandbox.restore(registered)["team"]


def keys(sandbox) -> set[str]:
    found = sandbox.client("standalone", "s3").list_objects_v2(Bucket=BUCKET)
    return {item["Key"] for item in found.get("Contents", [])}


def test_the_state_is_in_the_bucket_alone_encrypted_and_unlocked(sandbox, team):
    assert keys(sandbox) == {KEY}
    state = sandbox.client("standalone", "s3").get_object(Bucket=BUCKET, Key=KEY)
    assert state["ServerSideEncryption"] == "AES256"
    resources = json.loads(state["Body"].read())["resources"]
    assert "aws_iam_role" in {resource["type"] for resource in resources}
    assert not list(team.root.glob("terraform.tfstate*"))
    assert json.loads((team.root / "backend.tfbackend.json").read_text())["use_lockfile"] is True


def test_a_second_machine_finds_the_same_state(team):
    shutil.rmtree(team.root)  # a fresh checkout
    again = team("plan", "--detailed-exitcode")
    assert again.returncode == 0, again.stdout + again.stderr
    assert team.verify()[0] == 0


def test_a_lock_of_a_dead_run_is_shown_with_the_way_out(sandbox, team):
    s3 = sandbox.client("standalone", "s3")
    for host, words in (
        (socket.gethostname(), "its run is dead. Remove the lock"),
        ("build-7", "Wait for that run to end"),
    ):
        lock = {**LOCK, "Who": f"ci@{host}"}
        s3.put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=json.dumps(lock).encode())
        refused = team("apply", "--yes", "--lock-timeout", "1s", "--tag", "a=b")
        assert refused.returncode == 1, refused.stderr
        assert f"locked by ci@{host} since 2026-01-02" in refused.stderr
        assert words in refused.stderr
        assert f"octo-tf unlock {LOCK['ID']}" in refused.stderr

    assert team("unlock", LOCK["ID"]).returncode == 64  # nobody confirms
    wrong = team("unlock", "0-0", "--yes")
    assert wrong.returncode == 1
    assert keys(sandbox) == {KEY, f"{KEY}.tflock"}
    assert team("unlock", LOCK["ID"], "--yes").returncode == 0
    assert keys(sandbox) == {KEY}
    assert team("apply", "--yes").returncode == 0


def test_unlock_asks_first_whose_the_account_is(sandbox, team):
    result = team("unlock", LOCK["ID"], "--yes", "--aws-profile", "linked-2")
    assert result.returncode == 5
    assert sandbox.account("linked-2") in result.stderr


def test_the_lock_of_a_killed_terraform_goes_by_following_the_error(sandbox, team):
    sandbox.fault(service="iam", action="TagRole", latency=8, times=1)
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "apply", "--yes", "--tag", "a=b"],
        cwd=team.folder,
        env=team.environ,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: any(f["happened"] for f in control.faults(sandbox.endpoint)), "it tags")
    first, *_ = filter(run_log.is_note, (team.root / run_log.NAME).read_text().splitlines())
    os.kill(int(first.split()[-1]), signal.SIGKILL)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 1, errors
    assert "names the command that unlocks it" in errors
    sandbox.clear_faults()
    assert keys(sandbox) == {KEY, f"{KEY}.tflock"}

    refused = team("apply", "--yes", "--lock-timeout", "1s", "--tag", "a=b")
    assert refused.returncode == 1, refused.stderr
    assert f"@{socket.gethostname()} since " in refused.stderr
    (advice,) = re.findall(r"octo-tf (unlock \S+)", refused.stderr)
    assert team(*advice.split(), "--yes").returncode == 0
    assert keys(sandbox) == {KEY}
    after = team("apply", "--yes", "--tag", "a=b")
    assert after.returncode == 0, after.stderr
    assert keys(sandbox) == {KEY}


def test_a_state_that_s3_did_not_take_is_saved_there_by_the_next_run(sandbox, team):
    put = {"service": "s3", "action": "PutObject", "account": team.account_id}
    sandbox.fault(**put, error="AccessDenied", after=2)  # the locks of plan and apply
    failed = team("apply", "--yes", "--tag", "a=b")
    assert failed.returncode == 1, failed.stderr
    assert "kept it in errored.tfstate" in failed.stderr
    assert "octo-tf apply" in failed.stderr
    sandbox.clear_faults()
    assert (team.root / "errored.tfstate").is_file()
    s3 = sandbox.client("standalone", "s3")

    def tagged() -> bool:
        return b'"a": "b"' in s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()

    assert not tagged()
    after = team("apply", "--yes", "--tag", "a=b")
    assert after.returncode == 0, after.stderr
    assert "errored.tfstate" in after.stderr  # a line of the plan
    assert tagged()
    assert keys(sandbox) == {KEY}
    assert not (team.root / "errored.tfstate").exists()
    assert list(team.root.glob("errored.tfstate.pushed-*"))
    assert team("plan", "--detailed-exitcode", "--tag", "a=b").returncode == 0
