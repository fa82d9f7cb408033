"""Calls are signed as whoever the thread has become."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.session import AssumeRole

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
