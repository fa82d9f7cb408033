"""identify: the account that was meant, and its type, or a refusal."""

from __future__ import annotations

import json

import boto3
import pytest

from orchestrator.aws.identity import identify
from orchestrator.aws.session import AssumeRole, Aws, connect
from orchestrator.errors import AwsError, ConfigError, ExitCode, WrongAccount


@pytest.mark.parametrize(
    ("profile", "account_type"),
    [("payer", "payer"), ("linked-1", "linked"), ("standalone", "standalone")],
)
def test_each_type_is_found_out(sandbox, aws, profile, account_type):
    account = identify(aws(profile), sandbox.accounts[profile])
    assert account.account_type == account_type
    assert account.account_id == sandbox.accounts[profile]


def test_another_account_is_refused_with_both_named(aws):
    with pytest.raises(WrongAccount) as caught:
        identify(aws("standalone"), "111111111111")
    assert "222222222222" in str(caught.value)
    assert "111111111111" in str(caught.value)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert "--aws-profile" in caught.value.hint


def test_a_declared_type_that_is_wrong_is_an_error(aws):
    with pytest.raises(ConfigError, match="says that this is a payer account"):
        identify(aws("payer"), "111111111111", declared_type="linked")


@pytest.fixture
def blind(sandbox, session):
    """Credentials of the payer that may not read the organization."""
    iam = session("payer").client("iam")
    iam.create_user(UserName="blind")
    key = iam.create_access_key(UserName="blind")["AccessKey"]
    yield Aws(boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1"))
    iam.delete_access_key(UserName="blind", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="blind")


def test_an_unknown_type_stops_and_names_the_permission(blind):
    with pytest.raises(AwsError, match="type is unknown") as caught:
        identify(blind, "111111111111")
    assert "organizations:DescribeOrganization" in caught.value.hint
    assert "account_type" in caught.value.hint


def test_a_declared_type_is_taken_where_the_organization_may_not_be_read(blind):
    account = identify(blind, "111111111111", declared_type="payer")
    assert account.account_type == "payer"
    assert account.management_account_id is None


def test_credentials_that_aws_does_not_know_are_explained(sandbox):
    stranger = Aws(boto3.Session("AKIAXXXXXXXXXXXXXXXX", "x", region_name="us-east-1"))
    with pytest.raises(AwsError, match="does not know these credentials"):
        identify(stranger, "111111111111")


def test_an_endpoint_that_nobody_listens_on_is_explained(sandbox, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(AwsError) as caught:
        identify(connect(region="us-east-1", profile="payer"), "111111111111")
    assert "AWS_ENDPOINT_URL" in caught.value.hint


def test_a_role_is_assumed_on_the_way(sandbox, session, aws):
    iam = session("linked-1").client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole"}
        ],
    }
    arn = iam.create_role(RoleName="Deploy", AssumeRolePolicyDocument=json.dumps(trust))["Role"][
        "Arn"
    ]
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    iam.put_role_policy(RoleName="Deploy", PolicyName="p", PolicyDocument=json.dumps(everything))
    inside = connect(region="us-east-1", profile="payer", assume_role=AssumeRole(arn))
    account = identify(inside, sandbox.accounts["linked-1"])
    iam.delete_role_policy(RoleName="Deploy", PolicyName="p")
    iam.delete_role(RoleName="Deploy")
    assert account.account_type == "linked"
    assert ":assumed-role/Deploy/" in account.caller_arn
