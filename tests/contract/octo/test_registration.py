"""The ledger and Octo together: who registers, what is confirmed, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path

import pytest
from filelock import FileLock

from orchestrator.errors import LedgerError, OctoRefused
from orchestrator.model.account import Account
from orchestrator.octo import history
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.registration import RegistrationService
from orchestrator.sandbox import control
from tests.waiting import wait_until

STANDALONE = "222222222222"
PAYER = "111111111111"
PASSED = {"api_access": "pass", "cur_s3": "skipped", "stackset": "skipped"}
WITH_STACKSET = {**PASSED, "stackset": "pass"}


def identified(account_id: str, account_type: str = "") -> Account:
    account_type = account_type or ("payer" if account_id == PAYER else "standalone")
    return Account(account_id, account_type, f"arn:aws:iam::{account_id}:root", None)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.json")


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def service(ledger, api, warnings) -> RegistrationService:
    return RegistrationService(ledger, api, warn=warnings.append)


def plant(sandbox, **settings):
    return sandbox.faults.add({"service": "octo", **settings})


def confirm(service, account_id: str, statuses=PASSED, **settings):
    return service.confirm(identified(account_id), "Acme", statuses, finish=True, **settings)


# Who registers


def test_a_refusal_at_register_leaves_nothing_in_the_ledger(service, ledger, client):
    client("octo-sandbox-other").register(STANDALONE, "Theirs")
    with pytest.raises(OctoRefused):
        service.register(identified(STANDALONE), "Ours")
    assert ledger.accounts() == {}


def test_a_name_that_octo_has_for_another_account_is_refused_before_anything_else(service, api):
    api.register(PAYER, "Acme")
    with pytest.raises(OctoRefused, match=f"an account named Acme already: {PAYER}") as caught:
        service.check_new(identified(STANDALONE), "Acme")
    assert "account_name" in caught.value.hint
    service.check_new(identified(STANDALONE), "Acme two")
    service.check_new(identified(STANDALONE), "")


def test_a_linked_account_is_refused_before_its_payer_and_before_its_name(service, api):
    api.register("333333333333", "Acme")
    linked = replace(identified("444444444444", "linked"), management_account_id=PAYER)
    with pytest.raises(OctoRefused, match="its payer 111111111111 must be registered before it"):
        service.check_new(linked, "Acme")


def test_a_plan_and_an_apply_are_noted_without_registering(service, ledger, state):
    service.ledger.note_planned(identified(STANDALONE), "Acme")
    service.ledger.note_applied(identified(STANDALONE), "Acme")
    assert not ledger.account(STANDALONE).is_registered
    assert state.accounts == {}


def test_a_verification_registers_nobody_and_says_how_it_is_done(service, account, state):
    account("standalone", "standalone")
    confirmation = confirm(service, STANDALONE)
    answer = confirmation.answers["api_access"]
    assert answer.state == "not_registered"
    assert "octo-tf confirm --register" in answer.hint
    assert state.accounts == {}
    assert not confirmation.record.is_registered
    assert confirmation.record.finished_at is None
    followed = service.confirm_remaining(STANDALONE, may_register=True)  # the hint
    assert followed.answers["api_access"].state == "confirmed"
    assert followed.record.finished_at is not None


def test_an_account_registered_elsewhere_is_confirmed_since_octo_knows_it(service, account, api):
    account("standalone", "standalone")
    api.register(STANDALONE, "By hand")
    confirmation = confirm(service, STANDALONE)
    assert confirmation.answers["api_access"].state == "confirmed"
    assert confirmation.record.registered_at == api.status(STANDALONE).create_time.replace(
        "Z", "+00:00"
    )


def test_an_account_removed_in_octo_is_noticed_and_not_registered_again(service, account, api):
    account("standalone", "standalone")
    service.register(identified(STANDALONE), "Acme")
    confirm(service, STANDALONE)
    api.unregister(STANDALONE)
    confirmation = confirm(service, STANDALONE)
    assert confirmation.answers["api_access"].state == "not_registered"
    assert (confirmation.record.registered_at, confirmation.record.confirmed_at) == (None, {})
    assert api.status(STANDALONE) is None


def test_an_octo_that_is_down_at_register_registers_at_the_end_of_the_same_apply(
    service, sandbox, account, api, warnings
):
    account("standalone", "standalone")
    plant(sandbox, action="RegisterAccount", error="Unavailable", times=5)
    service.register(identified(STANDALONE), "Acme")
    assert api.status(STANDALONE) is None
    assert "registered with Octo afterwards" in warnings[0]
    confirmation = confirm(service, STANDALONE, may_register=True)
    assert confirmation.record.is_registered
    assert confirmation.answers["api_access"].state == "confirmed"
    assert confirmation.record.finished_at is not None


@pytest.mark.parametrize("action", ["RegisterAccount", "GetDataAccess"])
def test_an_octo_that_stays_down_is_said_with_a_hint_that_registers(
    service, sandbox, account, api, action
):
    account("standalone", "standalone")
    plant(sandbox, action=action, error="Unavailable")
    answer = confirm(service, STANDALONE, may_register=True).answers["api_access"]
    assert answer.state == "unreachable"
    assert "octo-tf confirm --register" in answer.hint
    sandbox.faults.clear()
    assert service.confirm_remaining(STANDALONE).answers["api_access"].state == "not_registered"
    followed = service.confirm_remaining(STANDALONE, may_register=True)
    assert followed.answers["api_access"].state == "confirmed"


# What is confirmed


def test_finish_waits_for_octo_where_there_are_credentials(service, sandbox, account):
    account("standalone", "standalone")
    service.register(identified(STANDALONE), "Acme")
    plant(sandbox, action="CreateAccountAccess", error="Unavailable", times=5)
    confirmation = confirm(service, STANDALONE)
    answer = confirmation.answers["api_access"]
    assert answer.state == "unreachable"
    assert "octo-tf confirm:" in answer.hint  # it is registered already
    assert confirmation.record.unconfirmed == ["api_access"]
    assert confirmation.record.finished_at is None
    record = service.confirm_remaining(STANDALONE).record
    assert record.unconfirmed == []
    assert record.finished_at is not None


def test_without_credentials_nothing_is_claimed_and_credentials_later_take_over(
    service, ledger, account, state
):
    account("standalone", "standalone")
    alone = RegistrationService(ledger, None)
    alone.register(identified(STANDALONE), "Acme")
    confirmation = confirm(alone, STANDALONE)
    assert confirmation.answers["api_access"].state == "by_hand"
    record = ledger.account(STANDALONE)
    assert (record.registered_at, record.finished_at, record.answers) == (None, None, {})
    assert history.read(alone, STANDALONE).remaining == (
        "In Octo: Register Account.",
        "In Octo: Check and Confirm for API access.",
        "In Octo: Confirm and Finish.",
    )
    (left,) = history.read(service, STANDALONE).remaining
    assert "octo-tf confirm --register" in left
    followed = service.confirm_remaining(STANDALONE, may_register=True)
    assert followed.answers["api_access"].state == "confirmed"
    assert history.read(service, STANDALONE).remaining == ()
    again = confirm(alone, STANDALONE)
    assert again.answers["api_access"].state == "confirmed"  # not taken back
    assert history.read(alone, STANDALONE).remaining == ()


def test_cur_waits_for_api_access_and_is_pending_until_a_report_is_there(service, account, sandbox):
    made = account("standalone", "standalone")
    service.register(identified(STANDALONE), "Acme")
    both = {**PASSED, "cur_s3": "pass"}
    planted = plant(sandbox, action="CreateAccountAccess", error="FailedPrecondition", times=1)
    given = confirm(service, STANDALONE, both).answers
    assert [a.state for a in given.values()] == ["refused", "waiting"]
    assert planted.happened == 1
    given = confirm(service, STANDALONE, both).answers
    assert [a.state for a in given.values()] == ["confirmed", "pending"]
    (left,) = history.read(service, STANDALONE).remaining
    assert left == "Run octo-tf confirm: Octo has not confirmed CUR and S3."
    control.deliver(sandbox.endpoint_url)
    record = service.confirm_remaining(STANDALONE).record
    assert [a.state for a in record.answers.values()] == ["confirmed", "confirmed"]
    assert made.bucket


# Linked accounts


def test_linked_accounts_that_octo_knows_by_another_name_are_found(service, api, ledger):
    api.register("444444444444", "Acme")
    api.register("555555555555", "five")
    names = {"444444444444": "four", "555555555555": "five", "666666666666": "six"}
    assert service.linked.other_names(names) == {"444444444444": "Acme"}
    assert RegistrationService(ledger, None).linked.other_names(names) == {}


def test_linked_accounts_are_registered_side_by_side_and_the_rest_later(
    service, ledger, sandbox, account, state
):
    account("payer", "payer")
    account("linked-1", "linked")
    service.register(identified(PAYER), "Acme")
    standings = {f"3{number:011}": (f"n{number}", "pass") for number in range(120)}
    standings[sandbox.accounts["linked-1"]] = ("linked-1", "pass")
    standings["399999999999"] = ("failed", "fail")
    service.linked.note(standings)
    assert len(service.linked.waiting(PAYER)) == 121
    # One call with all of its retries fails, somewhere in the middle.
    plant(sandbox, action="RegisterAccount", account="300000000060", error="Unavailable", times=5)
    answers = confirm(service, PAYER, WITH_STACKSET).answers
    assert answers["stackset"].state == "unreachable"
    waiting = service.linked.waiting(PAYER)
    assert "300000000060" in waiting
    assert set(standings) - {"399999999999"} - set(state.accounts) <= set(waiting)
    confirmation = service.confirm_remaining(PAYER)
    assert confirmation.answers["stackset"].state == "confirmed"
    assert confirmation.linked_registered == 121
    assert service.linked.waiting(PAYER) == {}
    assert len(state.accounts) == 122
    assert "399999999999" not in state.accounts


def test_linked_accounts_are_registered_while_others_are_deployed_to(
    service, ledger, account, state
):
    account("payer", "payer")
    service.register(identified(PAYER), "Acme")
    service.linked.register_current(PAYER, {"300000000001": "one"})
    # Octo itself has not confirmed the payer yet: the account is noted only.
    assert ledger.accounts()["300000000001"].statuses == {"api_access": "pass"}
    assert "300000000001" not in state.accounts
    confirm(service, PAYER, {**PASSED, "stackset": "pending"})
    assert "300000000001" in state.accounts
    service.linked.register_current(PAYER, {"300000000002": "two"})
    assert ledger.accounts()["300000000002"].is_registered
    assert state.accounts["300000000002"]
    assert service.linked.registered == 2


def test_an_octo_that_does_not_answer_does_not_hold_up_a_deployment(
    service, sandbox, account, state
):
    account("payer", "payer")
    service.register(identified(PAYER), "Acme")
    confirm(service, PAYER)
    planted = plant(sandbox, action="RegisterAccount", error="Unavailable", times=5)
    service.linked.register_current(PAYER, {"300000000001": "one"})
    assert planted.happened == 5
    service.linked.register_current(PAYER, {"300000000002": "two"})  # not tried again in this run
    assert set(service.linked.waiting(PAYER)) == {"300000000001", "300000000002"}
    confirm(service, PAYER, {**PASSED, "stackset": "fail"})
    assert service.linked.waiting(PAYER) == {}
    assert {"300000000001", "300000000002"} <= set(state.accounts)


def test_a_verification_registers_accounts_that_joined_only_if_their_payer_is_registered(
    service, account, api, state
):
    account("payer", "payer")
    account("linked-1", "linked")
    service.linked.note({"300000000001": ("one", "pass")})
    assert confirm(service, PAYER, WITH_STACKSET).answers["stackset"].state == "not_registered"
    assert state.accounts == {}
    api.register(PAYER, "Acme")
    confirmation = confirm(service, PAYER, WITH_STACKSET)
    assert confirmation.linked_registered == 1
    assert "300000000001" in state.accounts


@pytest.fixture
def later(tmp_path, api, account) -> RegistrationService:
    """A payer that was applied and registered; its clock goes on a second each time."""
    account("payer", "payer")
    account("linked-1", "linked")
    seconds = count()
    ledger = Ledger(
        tmp_path / "ledger.json",
        now=lambda: datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=next(seconds)),
    )
    service = RegistrationService(ledger, api)
    service.register(identified(PAYER), "Acme")
    service.ledger.note_applied(identified(PAYER), "Acme")
    return service


def stackset(service) -> str:
    return confirm(service, PAYER, WITH_STACKSET).answers["stackset"].state


def test_a_stackset_is_confirmed_again_only_after_an_apply_or_for_accounts_that_joined(
    later, sandbox
):
    asked = plant(sandbox, action="CreateAccountAccessStackset", latency=0.001)
    assert [stackset(later), stackset(later)] == ["confirmed", "confirmed"]
    assert asked.happened == 1
    later.ledger.note_applied(identified(PAYER), "Acme")
    assert [stackset(later), stackset(later)] == ["confirmed", "confirmed"]
    assert asked.happened == 2
    later.linked.note({"300000000001": ("one", "pass")})
    assert stackset(later) == "confirmed"
    assert asked.happened == 3


def test_a_stackset_that_octo_refused_or_no_longer_has_confirmed_is_asked_for(
    later, sandbox, state
):
    assert stackset(later) == "confirmed"
    state.accounts[PAYER].stack_set = False
    planted = plant(
        sandbox, action="CreateAccountAccessStackset", error="FailedPrecondition", times=1
    )
    assert [stackset(later), stackset(later), stackset(later)] == ["refused", *2 * ["confirmed"]]
    assert planted.happened == 2


def test_a_slow_octo_that_confirms_a_stackset_after_all_is_not_asked_again(
    later, sandbox, monkeypatch, state
):
    asked = plant(sandbox, action="CreateAccountAccessStackset", latency=5.0)
    confirm(later, PAYER)  # API access: StackSet is the only call of the next confirmation
    with monkeypatch.context() as impatient:
        impatient.setattr("orchestrator.octo.connection._TIMEOUT_ONCE", (5.0, 0.5))
        assert stackset(later) == "unreachable"
    wait_until(lambda: state.accounts[PAYER].stack_set, "the call that timed out confirms")
    assert later.confirm_remaining(PAYER).answers["stackset"].state == "confirmed"
    assert asked.happened == 1


def test_accounts_of_a_stackset_that_is_gone_are_not_registered(service, account, state):
    account("payer", "payer")
    service.register(identified(PAYER), "Acme")
    service.linked.note({"300000000001": ("one", "pass")})
    confirm(service, PAYER)  # octo.yaml asks for no StackSet any more
    assert set(state.accounts) == {PAYER}


def test_a_ledger_that_is_held_does_not_end_a_deployment(ledger, tmp_path):
    impatient = RegistrationService(Ledger(tmp_path / "ledger.json", lock_seconds=0.05), None)
    impatient.ledger.note_planned(identified(PAYER), "Acme")
    with FileLock(tmp_path / "ledger.json.lock"):
        impatient.linked.register_current(PAYER, {"300000000001": "one"})
    assert set(ledger.accounts()) == {PAYER}


def test_a_linked_account_of_another_organization_is_named(service, client, account, sandbox):
    account("payer", "payer")
    account("linked-1", "linked")
    linked = sandbox.accounts["linked-1"]
    client("octo-sandbox-other").register(linked, "theirs")
    service.register(identified(PAYER), "Acme")
    service.linked.note({linked: ("linked-1", "pass")})
    answer = confirm(service, PAYER, WITH_STACKSET).answers["stackset"]
    assert answer.state == "refused"
    assert linked in answer.reason
    assert "another organization" in answer.reason


def test_there_is_nothing_to_confirm_of_an_unknown_or_a_planned_account(service):
    with pytest.raises(LedgerError, match="no verification is recorded"):
        service.confirm_remaining(STANDALONE)
    service.ledger.note_planned(identified(STANDALONE), "Acme")
    with pytest.raises(LedgerError, match="no verification is recorded"):
        service.confirm_remaining(STANDALONE)
    assert history.read(service, STANDALONE).remaining == ("Run octo-tf apply.",)


def test_a_linked_account_is_not_registered_before_its_payer_by_a_confirmation_either(
    service, account, sandbox, api
):
    account("linked-1", "linked")
    linked_id = sandbox.accounts["linked-1"]
    linked = replace(identified(linked_id, "linked"), management_account_id=PAYER)
    confirmation = service.confirm(linked, "one", PASSED, finish=True, may_register=True)
    assert confirmation.answers["api_access"].state == "refused"
    assert "Register the payer" in confirmation.answers["api_access"].hint
    assert api.status(linked_id) is None
