"""What Terraform's failures are put into: the cause, and advice that is true."""

from __future__ import annotations

import shutil
import socket
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from orchestrator.terraform.events import Diagnostic
from orchestrator.terraform.failures import already_existing, failure, killed_by

ERROR = Diagnostic("error", "creating IAM Role", "AccessDenied", "aws_iam_role.r", "")
STATE = '{"version": 4, "lineage": "life", "serial": 1}'


def failed(folder: Path, *, command: str = "apply", code: int = 1, lines=(), diagnostics=(ERROR,)):
    return failure(command, code, [*lines], [*diagnostics], folder)


def test_an_error_names_the_resource_and_the_way_on(tmp_path):
    error = failed(tmp_path)
    assert error.what == "terraform apply failed: aws_iam_role.r: creating IAM Role: AccessDenied"
    assert "What was done before the error is in the state" in error.hint


def test_after_an_apply_that_could_not_save_its_state_nothing_else_is_said(tmp_path):
    (tmp_path / "terraform.tfstate").write_text(STATE[:20])
    error = failed(tmp_path)
    assert "the state cannot be read: it is not complete JSON (20 bytes)" in error.what
    assert error.where == str(tmp_path / "terraform.tfstate")
    assert "is in the state" not in error.hint
    assert "octo-tf apply" in error.hint


def test_a_state_that_terraform_kept_aside_is_named(tmp_path):
    (tmp_path / "errored.tfstate").write_text(STATE)
    assert "kept it in errored.tfstate" in failed(tmp_path).hint
    assert "kept it in errored.tfstate" in failed(tmp_path, code=-9, diagnostics=()).hint


def test_an_empty_fallback_state_is_no_help(tmp_path):
    (tmp_path / "errored.tfstate").touch()
    hint = failed(tmp_path).hint
    assert "errored.tfstate is unreadable" in hint
    assert "is imported" in hint


@pytest.mark.parametrize(
    ("call", "part"),
    [
        ("HeadObject", "s3:GetObject"),
        ("HeadObject", "s3:ListBucket"),
        ("HeadObject", "kms:Decrypt"),
        ("HeadObject", "backend.profile"),
        ("HeadBucket", "s3:ListBucket"),
    ],
)
def test_where_s3_gives_no_reason_the_hint_names_permissions(tmp_path, call, part):
    text = f"operation error S3: {call}, https response error StatusCode: 403, RequestID: 1"
    error = failed(tmp_path, command="state pull", lines=[f"Error: {text}"], diagnostics=())
    assert part in error.hint


@pytest.mark.parametrize("command", ["output", "state pull"])
def test_a_state_that_cannot_be_asked_says_so(tmp_path, command):
    error = failed(tmp_path, command=command, lines=["Error: no credentials"], diagnostics=())
    assert error.what == "the state cannot be read: no credentials"


def test_a_full_disk_is_named_although_terraform_could_not_say_anything(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _f: shutil._ntuple_diskusage(10, 10, 0))
    error = failed(tmp_path, command="plan", code=1, diagnostics=())
    assert "it gave no reason (exit code 1)" in error.what
    assert "The disk is full" in error.hint


def test_a_damaged_installation_is_installed_again_by_the_next_run(tmp_path):
    gone = Diagnostic("error", "Required plugins are not installed", "checksums", "", "")
    assert "installs provider and modules again" in failed(tmp_path, diagnostics=[gone]).hint


@pytest.mark.parametrize("here", [True, False])
def test_a_lock_says_whose_it_is_and_how_it_is_removed(tmp_path, here):
    host = socket.gethostname() if here else "elsewhere"
    lock = f"Lock Info:\n  ID:  abc\n  Who: me@{host}\n  Created: now"
    diagnostic = Diagnostic("error", "Error acquiring the state lock", lock, "", "")
    error = failed(tmp_path, diagnostics=[diagnostic])
    assert f"the state is locked by me@{host} since now" in error.what
    assert "octo-tf unlock abc" in error.hint


@pytest.mark.parametrize(
    ("code", "name"),
    [(-9, "SIGKILL"), (137, "SIGKILL"), (-15, "SIGTERM"), (1, ""), (2, ""), (11, ""), (255, "")],
)
def test_a_signal_is_distinguished_from_an_exit_code(code, name):
    assert killed_by(code) == name


# The provider's texts, as it writes them.
EXISTING = [
    "operation error IAM: CreateRole, StatusCode: 409, EntityAlreadyExists: Role R exists",
    "operation error S3: CreateBucket, StatusCode: 409, BucketAlreadyOwnedByYou: you own it",
    "creating S3 Bucket (b): BucketAlreadyExists",
    "operation error CloudFormation: CreateStackSet, NameAlreadyExistsException: it exists",
    "PutReportDefinition, DuplicateReportNameException: it is there",
]


@pytest.mark.parametrize("text", EXISTING)
def test_what_exists_by_now_is_distinguished_from_other_errors(tmp_path, text):
    taken = Diagnostic("error", "creating it", text, "module.octo.aws_x.y", "")
    assert already_existing([ERROR, taken]) == ("module.octo.aws_x.y",)
    hint = failed(tmp_path, diagnostics=(ERROR, taken)).hint
    assert "another working folder may be at work" in hint
    assert "fix the cause" not in hint


def test_a_bucket_name_that_another_account_has_needs_another_name(tmp_path):
    text = "operation error S3: CreateBucket, StatusCode: 409, BucketAlreadyExists: not available"
    taken = Diagnostic(
        "error",
        "creating S3 Bucket (b)",
        text,
        "module.octo.module.cur_export[0].aws_s3_bucket.cur",
        "",
    )
    assert already_existing([taken]) == ()
    assert "set another cur_s3_bucket_name" in failed(tmp_path, diagnostics=(taken,)).hint


# Texts of AWS and of the provider, and what can be done about each.
CAUSES = [
    ("api error ExpiredToken: The security token is expired", "Renew the credentials"),
    ("api error AccessDenied: User: a is not authorized to perform: iam:TagRole", "Grant the"),
    (
        "AccessDenied: User: a is not authorized to perform: iam:TagRole on resource: r with an"
        " explicit deny in a service control policy",
        "A grant elsewhere does not help",
    ),
    (
        "AccessDenied: User: a is not authorized to perform: s3:GetObject because no VPC endpoint"
        " policy allows the s3:GetObject action",
        "A grant elsewhere does not help",
    ),
    ('The state file does not have a "version" attribute', "--tf-path tofu"),
    ("This state file is encrypted and can not be read without an encryption", "TF_ENCRYPTION"),
    ("The plugin did not respond: the plugin encountered an error", "error of the provider"),
    ("Provider produced inconsistent result: this is a bug in the provider", "of the provider"),
    (
        "api error ValidationException: 1 validation error detected: Value 'pr.' at"
        " 'reportDefinition.s3Prefix' failed to satisfy constraint: Member must satisfy",
        "set cur_s3_prefix to one",
    ),
    ("api error Throttling: Rate exceeded", "nothing to correct"),
    ("StatusCode: 503, ServiceUnavailable", "nothing to correct"),
    ("dial tcp: i/o timeout", "nothing to correct"),
    ("InvalidParameterValue: the boundary is no policy", "Correct what the error names"),
]


@pytest.mark.parametrize(("text", "advice"), CAUSES)
def test_advice_fits_the_cause(tmp_path, text, advice):
    error = Diagnostic("error", "creating it", text, "aws_iam_role.r", "")
    hint = failed(tmp_path, diagnostics=(error,)).hint
    assert advice in hint
    assert "is in the state" in hint
    assert "is in the state" not in failed(tmp_path, command="plan", diagnostics=(error,)).hint


@pytest.mark.parametrize(
    ("minutes", "age"), [(1, "1 minute"), (25, "25 minutes"), (190, "3 hours")]
)
def test_a_lock_says_how_old_it_is(tmp_path, minutes, age):
    taken = datetime.now(timezone.utc) - timedelta(minutes=minutes, seconds=5)
    created = f"{taken:%Y-%m-%d %H:%M:%S}.5 +0000 UTC"
    lock = f"Lock Info:\n  ID:  abc\n  Who: me@there\n  Created: {created}"
    diagnostic = Diagnostic("error", "Error acquiring the state lock", lock, "", "")
    assert f"({age} ago)" in failed(tmp_path, diagnostics=(diagnostic,)).what


def test_an_error_of_a_command_that_colors_it_has_neither_colors_nor_box(tmp_path):
    """OpenTofu colors what ``state pull`` writes, also where nothing is a terminal."""
    lines = [
        "\x1b[31m╷\x1b[0m\x1b[0m",
        "\x1b[31m│\x1b[0m \x1b[0m\x1b[1m\x1b[31mError: \x1b[0m\x1b[0m\x1b[1mNo argument\x1b[0m",
        "\x1b[31m│\x1b[0m \x1b[0m",
        "\x1b[31m│\x1b[0m \x1b[0m\x1b[0m  on main.tofu line 2",
        "\x1b[31m╵\x1b[0m\x1b[0m",
    ]
    error = failed(tmp_path, command="state pull", lines=lines, diagnostics=())
    assert error.what.endswith("No argument on main.tofu line 2")
