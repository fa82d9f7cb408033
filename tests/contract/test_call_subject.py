"""AWS's refusals name the action, the resource, the account and who was refused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import botocore.auth
import pytest
from botocore.exceptions import ClientError

from orchestrator.aws import iam, s3
from orchestrator.aws.errors import explained
from orchestrator.aws.session import AssumeRole, Aws
from orchestrator.aws.sts import caller_identity
from orchestrator.errors import AccessDenied, AwsError


@pytest.fixture
def stranger(user) -> Aws:
    """A user of the payer who may ask who it is, and nothing else."""
    aws = Aws(user("payer", "sts:GetCallerIdentity"))
    caller_identity(aws)
    return aws


def test_a_denied_call_names_action_resource_account_and_user(stranger, sandbox):
    account = sandbox.accounts["payer"]
    with pytest.raises(AccessDenied) as denied, explained("reading the role"):
        iam.get_role(stranger, "AlphausAcctAccessRole")
    assert denied.value.where == f"iam:GetRole, role AlphausAcctAccessRole, account {account}"
    assert f"arn:aws:iam::{account}:user/" in denied.value.hint
    assert denied.value.hint.endswith(" iam:GetRole.")


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        (
            "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/p",
            "A service control policy denies it, and no grant overrides that: have"
            " arn:aws:organizations::1:policy/p changed so that it does not deny the caller"
            " s3:GetX, or use another caller.",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "An identity-based policy denies it, and no grant overrides that: have that policy"
            " changed so that it does not deny the caller s3:GetX, or use another caller.",
        ),
        (
            "because no permissions boundary allows the s3:GetX action",
            "No permissions boundary lets the caller use s3:GetX: have one changed to allow it.",
        ),
        (
            "because no identity-based policy allows the s3:GetX action",
            "Grant the caller s3:GetX.",
        ),
    ],
)
def test_the_hint_of_a_denied_call_fits_the_kind_of_policy_that_decided(reason, hint):
    message = f"The caller is not authorized to perform: s3:GetX on resource: x {reason}"
    error = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "GetX")
    with pytest.raises(AccessDenied) as denied, explained("reading"):
        raise error
    assert denied.value.hint == hint


def test_a_call_that_says_no_more_than_access_denied_is_named_too(stranger, sandbox):
    account = sandbox.accounts["payer"]
    with pytest.raises(AccessDenied) as denied, explained("reading the bucket"):
        s3.bucket_policy(stranger, "some-bucket")
    assert denied.value.where == f"s3:GetBucketPolicy, bucket some-bucket, account {account}"


def test_a_role_that_may_not_be_assumed_is_named(stranger):
    role = "arn:aws:iam::999999999999:role/absent"
    with pytest.raises(AwsError) as refused, explained("connecting to AWS"):
        stranger.assume(AssumeRole(role))
    assert f"sts:AssumeRole, role {role}" in refused.value.where


@pytest.mark.parametrize("service", ["sts", "cur", "s3"])
def test_a_clock_that_is_wrong_is_named_instead_of_the_credentials(session, monkeypatch, service):
    calls = {"sts": "get_caller_identity", "cur": "describe_report_definitions"}
    client = session("payer").client(service, region_name="us-east-1")
    past = datetime.now(timezone.utc) - timedelta(hours=1)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: past)
    with pytest.raises(AwsError, match="clock") as refused, explained("asking"):
        getattr(client, calls.get(service, "list_buckets"))()
    assert refused.value.hint == ("Set the clock, best by NTP, then run the same command again.")
