"""The ledger and Octo together: nothing is lost, whatever Octo does."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from orchestrator.errors import LedgerError, OctoRefused
from orchestrator.model.account import Account
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.registration import RegistrationService
from orchestrator.sandbox import control

STANDALONE = "222222222222"
PAYER = "111111111111"
PASSED = {"api_access": "pass", "cur_s3": "skipped", "stackset": "skipped"}


def identified(account_id: str, account_type: str = "") -> Account:
    account_type = account_type or ("payer" if account_id == PAYER else "standalone")
    return Account(account_id, account_type, f"arn:aws:iam::{account_id}:root", None)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.json")


@pytest.fixture
def service(ledger, api) -> RegistrationService:
    return RegistrationService(ledger, api)


def plant(sandbox, **settings):
    return sandbox.faults.add({"service": "octo", **settings})


def test_a_refusal_at_register_leaves_nothing_in_the_ledger(service, ledger, client):
    client("octo-sandbox-other").register(STANDALONE, "Theirs")
    with pytest.raises(OctoRefused):
        service.register(identified(STANDALONE, "standalone"), "Ours")
    assert ledger.accounts() == {}


def test_an_octo_that_is_down_at_register_is_told_by_confirm(
    service, ledger, sandbox, account, api
):
    account("standalone", "standalone")
    plant(sandbox, action="RegisterAccount", error="Unavailable", times=5)
    assert service.register(identified(STANDALONE, "standalone"), "Acme").octo_registered_at is None
    assert api.status(STANDALONE) is None
    record = service.confirm(identified(STANDALONE), "Acme", PASSED, finish=True)
    assert record.octo_registered_at is not None
    assert record.octo["api_access"].state == "confirmed"
    assert record.finished_at is not None


def test_finish_waits_for_octo_where_there_are_credentials(service, sandbox, account):
    account("standalone", "standalone")
    service.register(identified(STANDALONE, "standalone"), "Acme")
    plant(sandbox, action="CreateAccountAccess", error="Unavailable", times=5)
    record = service.confirm(identified(STANDALONE), "Acme", PASSED, finish=True)
    assert record.octo["api_access"].state == "unreachable"
    assert record.unconfirmed == ["api_access"]
    assert record.finished_at is None
    record = service.confirm_remaining(STANDALONE)
    assert record.unconfirmed == []
    assert record.finished_at is not None


def test_without_credentials_a_person_confirms_and_credentials_later_take_over(
    service, ledger, account
):
    account("standalone", "standalone")
    by_hand = RegistrationService(ledger, None)
    by_hand.register(identified(STANDALONE, "standalone"), "Acme")
    record = by_hand.confirm(identified(STANDALONE), "Acme", PASSED, finish=True)
    assert record.octo["api_access"].state == "by_hand"
    assert record.finished_at is not None
    record = service.confirm_remaining(STANDALONE)
    assert record.octo["api_access"].state == "confirmed"
    again = by_hand.confirm(identified(STANDALONE), "Acme", PASSED, finish=True)
    assert again.octo["api_access"].state == "confirmed"  # not taken back


def test_cur_waits_for_api_access_and_is_pending_until_a_report_is_there(service, account, sandbox):
    made = account("standalone", "standalone")
    service.register(identified(STANDALONE, "standalone"), "Acme")
    both = {**PASSED, "cur_s3": "pass"}
    planted = plant(sandbox, action="CreateAccountAccess", error="FailedPrecondition", times=1)
    record = service.confirm(identified(STANDALONE), "Acme", both, finish=True)
    assert [a.state for a in record.octo.values()] == ["refused", "waiting"]
    assert planted.happened == 1
    record = service.confirm(identified(STANDALONE), "Acme", both, finish=True)
    assert [a.state for a in record.octo.values()] == ["confirmed", "pending"]
    control.deliver(sandbox.endpoint_url)
    record = service.confirm_remaining(STANDALONE)
    assert [a.state for a in record.octo.values()] == ["confirmed", "confirmed"]
    assert made.bucket


def test_linked_accounts_are_registered_side_by_side_and_the_rest_later(
    service, ledger, sandbox, account, state
):
    account("payer", "payer")
    account("linked-1", "linked")
    service.register(identified(PAYER, "payer"), "Acme")
    standings = {f"3{number:011}": (f"n{number}", "pass") for number in range(120)}
    standings[sandbox.accounts["linked-1"]] = ("linked-1", "pass")
    standings["399999999999"] = ("failed", "fail")
    assert len(service.linked.register(standings)) == 121
    with_set = {**PASSED, "stackset": "pass"}
    # One call with all of its retries fails, somewhere in the middle.
    plant(sandbox, action="RegisterAccount", account="300000000060", error="Unavailable", times=5)
    record = service.confirm(identified(PAYER), "Acme", with_set, finish=True)
    assert record.octo["stackset"].state == "unreachable"
    left = service.linked.left(PAYER)
    assert "300000000060" in left
    assert set(standings) - {"399999999999"} - set(state.accounts) <= set(left)
    record = service.confirm_remaining(PAYER)
    assert record.octo["stackset"].state == "confirmed"
    assert service.linked.left(PAYER) == []
    assert len(state.accounts) == 122
    assert "399999999999" not in state.accounts


def test_linked_accounts_are_told_to_octo_while_others_are_deployed_to(
    service, ledger, sandbox, account, state
):
    account("payer", "payer")
    service.register(identified(PAYER, "payer"), "Acme")
    service.linked.register_current(PAYER, {"300000000001": "one"})
    # Octo itself has not confirmed the payer yet: the ledger alone knows the account.
    assert ledger.accounts()["300000000001"].statuses == {"api_access": "pass"}
    assert "300000000001" not in state.accounts
    service.confirm(identified(PAYER), "Acme", PASSED, finish=True)
    assert "300000000001" in state.accounts
    service.linked.register_current(PAYER, {"300000000002": "two"})
    assert ledger.accounts()["300000000002"].octo_registered_at is not None
    assert state.accounts["300000000002"]
    assert service.linked.register({"300000000003": ("three", "pass")}) == [
        "300000000001",
        "300000000002",
        "300000000003",
    ]


def test_an_octo_that_does_not_answer_does_not_hold_up_a_deployment(
    service, ledger, sandbox, account, state
):
    account("payer", "payer")
    service.register(identified(PAYER, "payer"), "Acme")
    service.confirm(identified(PAYER), "Acme", PASSED, finish=True)
    planted = plant(sandbox, action="RegisterAccount", error="Unavailable", times=5)
    service.linked.register_current(PAYER, {"300000000001": "one"})
    assert planted.happened == 5
    service.linked.register_current(PAYER, {"300000000002": "two"})  # not tried again in this run
    assert service.linked.left(PAYER) == ["300000000001", "300000000002"]
    service.confirm(identified(PAYER), "Acme", PASSED, finish=True)
    assert service.linked.left(PAYER) == []
    assert {"300000000001", "300000000002"} <= set(state.accounts)


def test_a_ledger_that_is_held_does_not_end_a_deployment(ledger, tmp_path):
    impatient = RegistrationService(Ledger(tmp_path / "ledger.json", lock_seconds=0.05), None)
    impatient.register(identified(PAYER, "payer"), "Acme")
    with FileLock(tmp_path / "ledger.json.lock"):
        impatient.linked.register_current(PAYER, {"300000000001": "one"})
    assert set(ledger.accounts()) == {PAYER}


def test_a_linked_account_of_another_organization_is_named(service, client, account, sandbox):
    account("payer", "payer")
    account("linked-1", "linked")
    linked = sandbox.accounts["linked-1"]
    client("octo-sandbox-other").register(linked, "theirs")
    service.register(identified(PAYER, "payer"), "Acme")
    service.linked.register({linked: ("linked-1", "pass")})
    record = service.confirm(identified(PAYER), "Acme", {**PASSED, "stackset": "pass"}, finish=True)
    answer = record.octo["stackset"]
    assert answer.state == "refused"
    assert linked in answer.reason
    assert "another organization" in answer.reason


def test_there_is_nothing_to_confirm_of_an_unknown_account(service):
    with pytest.raises(LedgerError):
        service.confirm_remaining(STANDALONE)
