"""The sandbox logs each call that changes something, by name, and none that only reads."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import requests
from botocore.exceptions import ClientError

from orchestrator import cli
from orchestrator.sandbox import control
from tests.registered import trust


@pytest.fixture
def new(sandbox) -> Callable[[], list[tuple[str, str]]]:
    """Gives the calls logged since the test began: what was called, and the account."""
    before = len(control.changes(sandbox.endpoint_url))

    def listed() -> list[tuple[str, str]]:
        changes = control.changes(sandbox.endpoint_url)[before:]
        return [(change["call"], change["account"]) for change in changes]

    return listed


def test_a_call_is_logged_whether_moto_answers_it_or_the_sandbox(sandbox, session, new):
    payer = session("payer")
    cloudformation, s3 = payer.client("cloudformation"), payer.client("s3")
    cloudformation.activate_organizations_access()
    cloudformation.deactivate_organizations_access()
    s3.create_bucket(Bucket="logged-bucket")
    s3.delete_bucket(Bucket="logged-bucket")
    account = sandbox.accounts["payer"]
    assert new() == [
        ("cloudformation:ActivateOrganizationsAccess", account),
        ("cloudformation:DeactivateOrganizationsAccess", account),
        ("s3:CreateBucket", account),
        ("s3:DeleteBucket", account),
    ]


def test_a_call_that_is_denied_is_logged_too(sandbox, session, new):
    control.add_fault(sandbox.endpoint_url, {"service": "iam", "error": "AccessDenied"})
    with pytest.raises(ClientError):
        session("linked-1").client("iam").create_role(
            RoleName="denied", AssumeRolePolicyDocument=trust()
        )
    control.clear_faults(sandbox.endpoint_url)
    assert new() == [("iam:CreateRole", sandbox.accounts["linked-1"])]


def test_reading_leaves_no_trace(session, new):
    payer = session("payer")
    payer.client("sts").get_caller_identity()
    payer.client("iam").list_roles()
    payer.client("s3").list_buckets()
    payer.client("organizations").list_accounts()
    payer.client("cloudformation").list_stack_sets()
    payer.client("cur", region_name="us-east-1").describe_report_definitions()
    assert new() == []


def test_octo_is_logged_without_its_token(sandbox, new):
    octo, client = sandbox.octo, sandbox.octo.client
    form = {"client_id": client.client_id, "client_secret": client.secret}
    form |= {"grant_type": "client_credentials", "scope": "openid"}
    answer = requests.post(sandbox.octo_token_url, data=form, timeout=60).json()
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    account = sandbox.accounts["payer"]
    url = f"{sandbox.octo_endpoint}/v1"
    requests.get(f"{url}/me", headers=headers, timeout=60)
    requests.get(f"{url}/account/{account}", headers=headers, timeout=60)
    requests.post(f"{url}/account/all:read", headers=headers, json={}, timeout=60)
    assert new() == []
    requests.delete(f"{url}/acctaccess/{account}", headers=headers, timeout=60)
    octo.tokens.clear()
    octo.calls.clear()
    assert new() == [("octo:DeleteAccountAccess", account)]


def test_the_command_line_lists_the_calls_after_a_number(sandbox, session, capsys):
    s3 = session("standalone").client("s3")
    s3.create_bucket(Bucket="logged-later")
    number = control.changes(sandbox.endpoint_url)[-1]["number"]
    s3.delete_bucket(Bucket="logged-later")
    assert cli.run(["sandbox", "changes", "--after", str(number)]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {
            "number": number + 1,
            "call": "s3:DeleteBucket",
            "account": sandbox.accounts["standalone"],
        }
    ]
