"""Octo's errors become ours: refused or unreachable, each with its way out."""

from __future__ import annotations

import json

import pytest

from orchestrator.errors import ExitCode, OctoError, OctoRefused, OctoUnreachable
from orchestrator.octo.accounts import compare
from orchestrator.octo.error_messages import explain
from orchestrator.octo.messages import AccountAccess, DataAccess


def body(code: int, message: str) -> str:
    return json.dumps({"code": code, "message": message, "details": []})


@pytest.mark.parametrize(
    ("status", "text", "kind", "hint"),
    [
        (400, body(9, "register the payer before its linked account"), OctoRefused, "payer"),
        (403, body(7, "it is owned by another organization"), OctoRefused, "ask Octo's support"),
        (400, body(3, "wrong organizational unit id"), OctoRefused, "stackset_targets"),
        (400, body(9, "cannot assume arn:aws:iam::1:role/R"), OctoRefused, "octo-tf verify"),
        (404, body(5, "account 1 is not registered"), OctoRefused, "octo-tf confirm --register"),
        (403, body(7, "no"), OctoRefused, "whose account"),
        (401, body(16, "token expired"), OctoError, "ALPHAUS_CLIENT_ID"),
        (429, body(8, "slow down"), OctoUnreachable, "later"),
        (503, body(14, "down"), OctoUnreachable, "later"),
        (500, "<html>oops</html>", OctoUnreachable, "later"),
        (502, "", OctoUnreachable, "later"),
        (404, "not json", OctoRefused, "octo-tf verify"),
        (400, '["a list"]', OctoRefused, "account_id"),
        (400, '{"code": "text", "message": null}', OctoRefused, "account_id"),
    ],
)
def test_an_error_has_a_kind_a_place_and_a_way_out(status, text, kind, hint):
    error = explain(status, text, doing="registering", where="111122223333")
    assert type(error) is kind
    assert str(error).startswith("111122223333: registering: Octo says: ")
    assert hint in error.hint
    assert error.exit_code is ExitCode.ERROR


def test_a_secret_in_octos_own_words_is_hidden():
    text = body(9, "bad external id planted-3c and token planted-4d\nsecond line")
    secrets = ["planted-3c", "planted-4d", ""]
    error = explain(400, text, doing="confirming", where="1", secrets=secrets)
    assert error.what.endswith("bad external id (hidden) and token (hidden) second line")


def test_messages_bear_what_a_gateway_leaves_out_or_adds():
    sparse = AccountAccess.model_validate_json('{"target": "1", "registrationStatus": null}')
    assert not sparse.registration_status.api_access
    assert DataAccess.model_validate_json('{"target": "1", "new": [1]}').aws_options.status == ""


def known(target: str, *, access: bool, status: str = "latest") -> DataAccess:
    options = {"Status": status, "registrationStatus": {"apiAccess": access}}
    return DataAccess.model_validate(
        {"target": target, "accountType": "linked", "awsOptions": options}
    )


def test_octo_and_the_organization_are_compared_account_by_account():
    octo = [
        known("1", access=True),
        known("2", access=False),
        known("3", access=True, status="cannot assume the role"),
        known("9", access=True, status="outdated"),
    ]
    found = compare(octo, {"1": "one", "2": "two", "3": "three", "4": "four"})
    assert [(s.account_id, s.state, s.in_organization) for s in found] == [
        ("1", "registered", True),
        ("2", "not_confirmed", True),
        ("3", "broken", True),
        ("4", "unregistered", True),
        ("9", "registered", False),
    ]
    assert found[1].reason == ""
    assert found[2].reason == "cannot assume the role"


def test_without_the_organization_only_octos_accounts_are_listed():
    (only,) = compare([known("1", access=True)], None)
    assert only.in_organization is None
