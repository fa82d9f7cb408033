"""Calls as roles of many accounts: the keys of one account at a time are kept out of texts."""

from __future__ import annotations

from types import SimpleNamespace

from orchestrator.aws.session import AssumeRole, IamInAccounts
from orchestrator.redaction import REDACTED, keep_out, redact


def keys_of(role: AssumeRole) -> dict[str, str]:
    secret, token = f"secret of {role.role_arn}", f"token of {role.role_arn}"
    keep_out(secret, token)
    return {
        "aws_access_key_id": "ASIA",
        "aws_secret_access_key": secret,
        "aws_session_token": token,
    }


def test_the_keys_of_an_account_that_is_done_are_not_held_any_longer():
    client = SimpleNamespace(meta=SimpleNamespace(events=SimpleNamespace(register=lambda *_: None)))
    iam = IamInAccounts(client, keys_of)
    iam.as_role(AssumeRole("first"))
    assert redact("secret of first, token of first") == f"{REDACTED}, {REDACTED}"
    iam.as_role(AssumeRole("second"))
    assert redact("secret of second") == REDACTED
    assert redact("token of first") == "token of first"
