"""The doctor's checks, each with its own input alone."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from orchestrator.doctor.checks import billing, clock, disk, environment, network
from orchestrator.doctor.checks import permissions as callers
from orchestrator.doctor.model import DoctorContext, DoctorStatus
from orchestrator.doctor.runner import find
from orchestrator.model.account import Account
from orchestrator.model.billing_transfer import BillingTransfers
from orchestrator.model.permissions import STEPS, Scope, permissions
from orchestrator.model.registration import Registration

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/schemas/doctor-v2.json").read_text(encoding="utf-8")
)


def context(**environ: str) -> DoctorContext:
    return DoctorContext(environ, Path("/"), lambda: 0.0)


def octo_tf(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "OCTO_"))}
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", "doctor", *arguments],
        cwd=folder,
        env={**clean, "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(folder), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_anything_it_says_what_is_missing_and_what_to_do(tmp_path):
    result = octo_tf(tmp_path, "--json")
    assert result.returncode == 1, result.stderr
    document = json.loads(result.stdout)
    jsonschema.validate(document, SCHEMA)
    checks = {check["id"]: check for check in document["checks"]}
    assert checks.keys() == {check.id for check in find()}
    assert checks["configuration"]["status"] == "problem"
    assert "octo-tf init" in checks["configuration"]["fix"]
    assert checks["credentials"]["status"] == "skipped"
    assert checks["engine"]["status"] == "ok"
    assert all(check["fix"] for check in document["checks"] if check["status"] != "ok")
    assert not list(tmp_path.iterdir())  # it only looks


def test_without_credentials_each_line_that_needs_them_says_so(tmp_path):
    (tmp_path / "octo.yaml").write_text("account_id: '111122223333'\nexternal_id: planted\n")
    result = octo_tf(tmp_path)
    assert result.returncode == 1
    assert "✓ configuration" in result.stdout
    assert "✗ credentials" in result.stdout
    assert "--aws-profile" in result.stdout
    assert "planted" not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("seconds", "status", "word"),
    [
        (0, DoctorStatus.OK, "agrees"),
        (-59, DoctorStatus.OK, "agrees"),
        (90, DoctorStatus.WARNING, "90 s ahead of"),
        (-301, DoctorStatus.PROBLEM, "301 s behind"),
    ],
)
def test_a_clock_is_judged_by_what_aws_takes(seconds, status, word):
    line = clock.judge(seconds)
    assert line.status is status
    assert word in line.summary


def test_a_full_disk_is_a_warning_and_a_file_at_its_path_a_problem(tmp_path):
    folder = tmp_path / "new" / "folder"
    assert disk.judge(folder, 10**10).status is DoctorStatus.OK
    assert disk.judge(folder, 10**8).status is DoctorStatus.WARNING
    (tmp_path / "new").write_text("a file")
    assert disk.judge(folder, 10**10).status is DoctorStatus.PROBLEM


@pytest.mark.parametrize(
    ("environ", "status", "words"),
    [
        ({}, DoctorStatus.OK, "No proxy"),
        ({"AWS_CA_BUNDLE": "/nowhere.pem"}, DoctorStatus.PROBLEM, "AWS_CA_BUNDLE=/nowhere.pem"),
        ({"SSL_CERT_FILE": "/etc/hosts"}, DoctorStatus.WARNING, "boto3 does not"),
        ({"https_proxy": "http://p:3128"}, DoctorStatus.WARNING, "instance credentials"),
        (
            {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "169.254.169.254"},
            DoctorStatus.OK,
            "p:3128",
        ),
        ({"HTTP_PROXY": "http://me:secret@p"}, DoctorStatus.OK, "HTTP_PROXY=http://(hidden)@p"),
        ({"HTTP_PROXY": "me:secret@p:80"}, DoctorStatus.OK, "HTTP_PROXY=(hidden)@p:80"),
    ],
)
def test_proxy_and_ca_settings_are_shown_without_passwords(environ, status, words):
    line = network.CHECK.run(context(**environ))
    assert line.status is status
    assert words in line.summary
    assert "secret" not in line.summary + line.fix


def test_variables_that_are_not_passed_on_are_named_without_their_values():
    line = environment.CHECK.run(
        context(TF_VAR_external_id="planted", TF_LOG="TRACE", TF_CLI_CONFIG_FILE="/nowhere")
    )
    assert line.status is DoctorStatus.WARNING
    assert "TF_LOG, TF_VAR_external_id, TF_CLI_CONFIG_FILE (no such file: /nowhere)" in line.summary
    assert "planted" not in line.summary
    assert environment.CHECK.run(context(HOME="/")).status is DoctorStatus.OK


def test_permissions_follow_the_options():
    def actions(account_type: str, **settings) -> set[str]:
        base = {"account_id": "111122223333", "external_id": "abc"}
        registration = Registration.model_validate({**base, **settings})
        found = permissions(Scope(registration, account_type), set(STEPS) - {"adopt"})
        return {action for permission in found for action in permission.actions}

    linked, payer = actions("linked"), actions("payer")
    assert {action.split(":")[0] for action in linked} == {"iam", "organizations"}
    assert "s3:CreateBucket" in payer - linked
    existing = {"cur_s3_bucket_option": "USE_EXISTING", "cur_s3_bucket_name": "acme"}
    assert "s3:CreateBucket" not in actions("payer", **existing)
    assert "s3:PutBucketPolicy" not in actions("payer", **existing)
    merged = actions("payer", **existing, cur_s3_bucket_merge_policy=True)
    assert "s3:PutBucketPolicy" in merged
    execution = {"features": ["cost", "execution"], "execution_actions": ["stop_ec2"]}
    assert "iam:CreatePolicy" in actions("linked", **execution) - linked


PUT, DELETE = "iam:PutRolePolicy", "iam:DeleteRole"


@pytest.mark.parametrize(
    ("lacked", "status", "said"),
    [
        ((), DoctorStatus.OK, "permissions are granted"),
        ((DELETE,), DoctorStatus.WARNING, "1 more permission is not, which octo-tf destroy needs"),
        (
            (PUT, DELETE),
            DoctorStatus.PROBLEM,
            "permission is not granted. What plan and",
        ),
    ],
)
def test_what_only_destroy_needs_is_a_warning(monkeypatch, lacked, status, said):
    arn = "arn:aws:iam::111122223333:user/operator"
    registration = Registration(account_id="111122223333", external_id="abc")
    account = Account("111122223333", "linked", arn, None)
    monkeypatch.setattr(DoctorContext, "identified", lambda _: (registration, None, account))
    monkeypatch.setattr(
        callers,
        "denied",
        lambda _aws, _arn, wanted: {
            (action, on): "not allowed"
            for permission in wanted
            for action in permission.actions
            for on in permission.resources
            if action in lacked
        },
    )
    line = callers.CHECK.run(context())
    assert line.status is status
    assert said in line.summary
    assert all(action in line.fix for action in lacked[:1])


OTHER = "333333333333"


@pytest.mark.parametrize(
    ("account_type", "transfers", "status", "said"),
    [
        ("payer", BillingTransfers(), DoctorStatus.OK, "No billing is transferred"),
        ("payer", BillingTransfers(paid_by=OTHER), DoctorStatus.PROBLEM, OTHER),
        ("payer", BillingTransfers(pays_for=(OTHER,)), DoctorStatus.WARNING, OTHER),
        ("payer", BillingTransfers(notes=("Grant it.",)), DoctorStatus.WARNING, "Grant it."),
        ("linked", BillingTransfers(), DoctorStatus.OK, "between payers only"),
    ],
)
def test_transferred_billing_is_named(monkeypatch, account_type, transfers, status, said):
    account = Account("111122223333", account_type, "arn:aws:iam::111122223333:root", None)
    account = dataclasses.replace(account, billing=transfers)
    monkeypatch.setattr(DoctorContext, "identified", lambda _: (None, None, account))
    found = billing.CHECK.run(context())
    assert found.status is status
    assert said in found.summary
    if status is DoctorStatus.PROBLEM:
        # The report of the paying account does not have these costs: registering it is no way out.
        assert found.fix.startswith("End the transfer")
        assert "Data Exports" in found.fix
