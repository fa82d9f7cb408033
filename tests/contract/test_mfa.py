"""A profile that asks for an MFA code: asked for once, on a terminal only."""

from __future__ import annotations

import configparser
import getpass
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from orchestrator.aws.identity import identify
from orchestrator.aws.mfa import with_process
from orchestrator.aws.session import connect
from orchestrator.errors import AwsError

WAY_IN = "OrganizationAccountAccessRole"


@pytest.fixture
def device(sandbox, session, tmp_path, monkeypatch) -> Iterator[str]:
    """An MFA device of the payer's user: the profile ``mfa`` asks for its code, for linked-1."""
    iam = session("payer").client("iam")
    arn = iam.create_virtual_mfa_device(VirtualMFADeviceName="me")["VirtualMFADevice"][
        "SerialNumber"
    ]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "234567"}
    iam.enable_mfa_device(UserName="administrator", SerialNumber=arn, **codes)
    role = f"arn:aws:iam::{sandbox.accounts['linked-1']}:role/{WAY_IN}"
    config = tmp_path / "config"
    config.write_text(
        f"[profile mfa]\nrole_arn = {role}\nsource_profile = payer\nmfa_serial={arn}\n"
        "region = us-east-1\n[profile other]\nregion = eu-west-1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("HOME", str(tmp_path))  # ~/.aws/cli/cache
    yield arn
    iam.deactivate_mfa_device(UserName="administrator", SerialNumber=arn)
    iam.delete_virtual_mfa_device(SerialNumber=arn)


@pytest.fixture
def questions(monkeypatch) -> list[str]:
    """The questions that a person on a terminal is asked, and answers."""
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "123456"

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", answer)
    return asked


def test_the_code_is_asked_for_once_and_its_session_serves_the_next_program(
    sandbox, device, questions, tmp_path
):
    said: list[str] = []
    for _ in range(2):
        aws = connect(region="us-east-1", profile="mfa", on_question=said.append)
        for service in ("sts", "iam"):
            assert aws.client(service)
        assert aws.client("sts").get_caller_identity()["Account"] == sandbox.accounts["linked-1"]
    (question,) = questions
    assert device in question
    assert said == questions
    (kept,) = (tmp_path / ".aws/cli/cache").iterdir()
    assert kept.stat().st_mode & 0o077 == 0


def test_a_refused_code_is_named_and_leads_to_the_next_one(sandbox, device, questions, session):
    iam = session("payer").client("iam")
    iam.deactivate_mfa_device(UserName="administrator", SerialNumber=device)
    account_id = sandbox.accounts["linked-1"]
    with pytest.raises(AwsError, match="MultiFactorAuthentication failed") as refused:
        identify(connect(region="us-east-1", profile="mfa"), account_id)
    assert "mfa_serial" in refused.value.hint
    assert "next code" in refused.value.hint
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "234567"}
    iam.enable_mfa_device(UserName="administrator", SerialNumber=device, **codes)
    caller = identify(connect(region="us-east-1", profile="mfa"), account_id)
    assert caller.account_id == account_id


def test_without_a_terminal_nothing_is_asked_and_the_advice_works(
    sandbox, device, questions, monkeypatch
):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    aws = connect(region="us-east-1", profile="mfa")
    with pytest.raises(AwsError, match="needs an MFA code") as refused:
        aws.client("sts").get_caller_identity()
    assert "aws sts get-caller-identity --profile mfa" in refused.value.hint
    assert questions == []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)  # what the AWS CLI does there
    connect(region="us-east-1", profile="mfa").client("sts").get_caller_identity()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    aws = connect(region="us-east-1", profile="mfa")
    assert aws.client("sts").get_caller_identity()["Account"] == sandbox.accounts["linked-1"]


def test_terraform_finds_the_session_under_the_profiles_name(sandbox, device, questions, tmp_path):
    aws = connect(region="us-east-1", profile="mfa")
    environ = {**os.environ, **aws.environment(tmp_path / "root", os.environ)}
    program = "import boto3; print(boto3.Session(profile_name='mfa').client('sts')"
    program += ".get_caller_identity()['Account'])"
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == sandbox.accounts["linked-1"]
    assert len(questions) == 1
    copy = Path(environ["AWS_CONFIG_FILE"]).read_text()
    keys = json.loads(environ["OCTO_TF_AWS_SESSION"])
    assert keys["SecretAccessKey"] not in copy
    assert keys["SessionToken"] not in copy


def test_other_profiles_are_handed_to_terraform_as_they_are(sandbox, tmp_path):
    assert connect(region="us-east-1", profile="payer").environment(tmp_path, os.environ) == {}
    assert boto3.Session(profile_name="payer").get_credentials().method != "assume-role"


def test_only_that_profile_changes_in_terraforms_configuration():
    text = (
        "# mine\n[default]\nregion = us-east-1\n[profile 'a b']\nrole_arn = r\nmfa_serial=m\n"
        "s3 =\n  max_concurrent_requests = 3\n[profile b]\nrole_arn = r\nmfa_serial = m\n"
    )
    parsed = configparser.ConfigParser()
    parsed.read_string(with_process(text, "a b"))
    assert dict(parsed["profile 'a b'"]) == {
        "credential_process": "printenv OCTO_TF_AWS_SESSION",
        "s3": "\nmax_concurrent_requests = 3",
    }
    assert dict(parsed["profile b"]) == {"role_arn": "r", "mfa_serial": "m"}
    assert dict(parsed["default"]) == {"region": "us-east-1"}
