"""Calls are signed as whoever the thread has become."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.session import AssumeRole, connect

WAY_IN = "OrganizationAccountAccessRole"


def test_one_client_visits_many_accounts_at_once(sandbox, aws):
    iam = aws("payer").in_accounts()
    members = [sandbox.accounts[f"linked-{number}"] for number in (1, 2, 3)] * 10

    def whose(account_id: str) -> str:
        role = AssumeRole(f"arn:aws:iam::{account_id}:role/{WAY_IN}")
        return iam.as_role(role).get_role(RoleName=WAY_IN)["Role"]["Arn"].split(":")[4]

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert list(pool.map(whose, members)) == members


def test_a_role_that_may_not_be_assumed_is_refused(sandbox, aws):
    role = AssumeRole(f"arn:aws:iam::{sandbox.accounts['standalone']}:role/{WAY_IN}")
    with pytest.raises(ClientError, match="AccessDenied"):
        aws("payer").in_accounts().as_role(role)


def test_credentials_of_an_assumed_role_renew_themselves(sandbox):
    """A wait may be longer than the role's session, which is as short here as AWS allows."""
    arn = f"arn:aws:iam::{sandbox.accounts['linked-1']}:role/{WAY_IN}"
    role = AssumeRole(arn, duration_seconds=900)
    client = connect(region="us-east-1", profile="payer", assume_role=role).client("sts")
    signed: list[str] = []
    client.meta.events.register(
        "before-send.sts.GetCallerIdentity",
        lambda request, **_: signed.append(str(request.headers["Authorization"]).split("/")[0]),
    )
    for _ in range(2):
        assert client.get_caller_identity()["Account"] == sandbox.accounts["linked-1"]
    first, second = signed
    assert first != second


def test_a_role_that_may_not_be_assumed_is_refused_at_once(sandbox):
    role = AssumeRole(f"arn:aws:iam::{sandbox.accounts['standalone']}:role/{WAY_IN}")
    with pytest.raises(ClientError, match="AccessDenied"):
        connect(region="us-east-1", profile="payer", assume_role=role)
