"""Commands of the AWS CLI in messages act by the same profile and in the same region as octo-tf."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import boto3
import pytest

from orchestrator.aws.errors import explained
from orchestrator.aws.session import connect
from orchestrator.errors import AwsError
from orchestrator.model.aws_cli import aws_line
from orchestrator.model.registration.access import Credentials

SOURCES = Path(__file__).parents[2] / "orchestrator"
SERVICES = sorted(boto3.Session().get_available_services())
WRITTEN_OUT = re.compile(rf"\baws ({'|'.join(SERVICES)}|sso|s3api|configure) [a-z]+(-[a-z]+)*")


@pytest.fixture
def configuration(tmp_path, monkeypatch):
    """Writes the AWS configuration; the environment has no credentials."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return lambda text: (tmp_path / "config").write_text(text)


def failed(profile: str):
    with pytest.raises(AwsError) as error, explained("asking"):
        connect(region="eu-west-1", profile=profile).client("sts").get_caller_identity()
    return error.value


def test_a_command_is_written_for_a_shell():
    line = aws_line("s3api", "head-bucket", "--bucket", "a b", profile="it's", region="eu-west-1")
    assert line == (
        "aws s3api head-bucket --bucket 'a b' --region eu-west-1 --profile 'it'\"'\"'s'"
    )
    assert aws_line("sso", "login") == "aws sso login"


def test_a_role_to_assume_has_no_profile_of_the_aws_cli():
    role = {"role_arn": "arn:aws:iam::111122223333:role/deploy"}
    assert Credentials(profile="base").cli_profile == "base"
    given = Credentials.model_validate({"profile": "base", "assume_role": role})
    assert given.cli_profile is None


def test_a_profile_without_credentials_is_named_with_the_command_that_tries_it(configuration):
    configuration("[profile acme]\ncredential_process = sh -c 'exit 1'\n")
    error = failed("acme")
    assert "credential_process" in error.where
    configuration("[profile acme]\nregion = eu-west-1\n")
    assert failed("acme").where == "AWS profile acme"


def test_a_session_that_ended_is_renewed_by_the_profile_that_has_it(configuration):
    signed_in = "sso_start_url = https://a.example\nsso_region = us-east-1\n"
    signed_in += "sso_account_id = 111122223333\nsso_role_name = admin\n"
    configuration(f"[profile acme]\n{signed_in}")
    assert "`aws sso login --profile acme`" in failed("acme").hint


def test_no_message_writes_a_command_out():
    """All come from aws_cli; list-profiles reads the configuration of the machine alone."""
    found = []
    for path in SOURCES.rglob("*.py"):
        if "sandbox" in path.parts:
            continue
        tree = ast.parse(path.read_text())
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and isinstance(node.body[0], ast.Expr)
        }
        found += [
            match[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
            for match in [WRITTEN_OUT.search(node.value)]
            if match
        ]
    assert found == ["aws configure list-profiles"]
