"""Unregistering is remembered, takes linked accounts along on request, and can be resumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import OctoUnreachable
from orchestrator.octo import history
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.registration import RegistrationService
from tests.contract.octo.test_registration import (
    PASSED,
    PAYER,
    STANDALONE,
    WITH_STACKSET,
    confirm,
    identified,
    plant,
)


@pytest.fixture
def workdir(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def serve(workdir, api):
    """The service in the root folder of an account."""

    def make(account_id: str) -> RegistrationService:
        return RegistrationService(Ledger(workdir / account_id / "ledger.json"), api)

    return make


@pytest.fixture
def payer(serve, account, sandbox) -> RegistrationService:
    """A payer that is registered with two linked accounts."""
    account("payer", "payer")
    account("linked-1", "linked")
    account("linked-2", "linked")
    service = serve(PAYER)
    service.register(identified(PAYER), "Acme")
    names = {sandbox.accounts[name]: (name, "pass") for name in ("linked-1", "linked-2")}
    service.linked.note(names)
    confirm(service, PAYER, WITH_STACKSET)
    return service


def leave(service: RegistrationService, account_id: str, *, with_linked: bool = False) -> None:
    service.unregister(service.describe_departure(account_id), with_linked=with_linked)


def test_nothing_but_registering_brings_an_account_back(serve, account, api):
    account("standalone", "standalone")
    service = serve(STANDALONE)
    service.register(identified(STANDALONE), "Acme")
    confirm(service, STANDALONE)
    leave(service, STANDALONE)
    assert api.status(STANDALONE) is None
    service.ledger.note_planned(identified(STANDALONE), "Acme")
    for answers in (
        confirm(service, STANDALONE).answers,
        service.confirm_remaining(STANDALONE).answers,
        confirm(RegistrationService(service.ledger, None), STANDALONE).answers,
    ):
        assert {answer.state for answer in answers.values()} == {"left"}
        assert "The account left Octo on" in answers["api_access"].reason
    assert api.status(STANDALONE) is None
    assert history.read(service, STANDALONE).remaining == ()
    record = service.confirm_remaining(STANDALONE, may_register=True).record
    assert record.is_registered
    assert record.is_confirmed("api_access")
    assert (record.left_at, api.status(STANDALONE) is None) == (None, False)


def test_an_account_that_left_stays_so_while_octo_does_not_answer(serve, account, sandbox):
    account("standalone", "standalone")
    service = serve(STANDALONE)
    service.register(identified(STANDALONE), "Acme")
    leave(service, STANDALONE)
    plant(sandbox, action="GetDataAccess", error="Unavailable", times=5)
    assert confirm(service, STANDALONE).answers["api_access"].state == "left"


def test_one_that_is_registered_again_in_octo_itself_has_not_left(serve, account, api):
    account("standalone", "standalone")
    service = serve(STANDALONE)
    service.register(identified(STANDALONE), "Acme")
    leave(service, STANDALONE)
    api.register(STANDALONE, "By hand")
    assert confirm(service, STANDALONE).answers["api_access"].state == "confirmed"
    assert service.ledger.account(STANDALONE).left_at is None


def test_linked_accounts_are_named_and_stay_unless_they_are_taken_along(payer, api, sandbox):
    departure = payer.describe_departure(PAYER)
    assert departure.is_known
    linked = {sandbox.accounts[name]: name for name in ("linked-1", "linked-2")}
    assert dict(departure.linked) == linked
    payer.unregister(departure, with_linked=False)
    assert api.status(PAYER) is None
    assert all(api.status(account_id) for account_id in linked)


def test_linked_accounts_that_leave_with_their_payer_come_back_with_it_only(
    payer, serve, sandbox, state
):
    linked = [sandbox.accounts[name] for name in ("linked-1", "linked-2")]
    leave(payer, PAYER, with_linked=True)
    assert state.accounts == {}
    payer.linked.note(dict.fromkeys(linked, ("again", "pass")))
    confirm(payer, PAYER, WITH_STACKSET)
    assert state.accounts == {}
    assert set(payer.linked.left_with(PAYER)) == set(linked)
    assert history.read(payer, PAYER).linked_left == 2
    again = serve(PAYER)
    again.register(identified(PAYER), "Acme")
    assert confirm(again, PAYER, WITH_STACKSET).linked_registered == 2
    assert set(state.accounts) == {PAYER, *linked}


def test_a_departure_that_octo_interrupts_goes_on_where_it_was(payer, sandbox, state):
    first, second = sorted(sandbox.accounts[name] for name in ("linked-1", "linked-2"))
    plant(sandbox, action="DeleteAccountAccess", account=second, error="Unavailable", times=5)
    with pytest.raises(OctoUnreachable) as caught:
        leave(payer, PAYER, with_linked=True)
    assert "1 account of 3 has left; the same command goes on with the rest." in caught.value.hint
    assert set(state.accounts) == {PAYER, second}
    assert payer.ledger.account(first).left_at is not None
    assert payer.ledger.account(PAYER).left_at is None
    # A nightly verification in between brings nobody back.
    assert confirm(payer, PAYER, WITH_STACKSET).answers["stackset"].state == "confirmed"
    assert set(state.accounts) == {PAYER, second}
    leave(payer, PAYER, with_linked=True)
    assert state.accounts == {}
    assert all(payer.ledger.account(account_id).left_at for account_id in (PAYER, first, second))


def test_without_a_ledger_octo_says_which_accounts_are_linked(payer, serve, workdir, sandbox, api):
    (workdir / PAYER / "ledger.json").unlink()
    service = serve(PAYER)
    departure = service.describe_departure(PAYER)
    assert departure.record is None
    assert len(departure.linked) == 2
    service.unregister(departure, with_linked=True)
    assert api.status(PAYER) is None
    records = service.ledger.accounts()
    assert set(records) == {PAYER, *departure.linked}
    assert all(record.left_at for record in records.values())
    states = {a.state for a in confirm(service, PAYER).answers.values()}
    assert states == {"left"}


def test_an_account_that_octo_does_not_know_is_noted_as_one_that_left(serve, account):
    account("standalone", "standalone")
    service = serve(STANDALONE)
    confirm(service, STANDALONE)
    departure = service.describe_departure(STANDALONE)
    assert not departure.is_known
    service.unregister(departure, with_linked=False)
    assert confirm(service, STANDALONE).answers["api_access"].state == "left"
    left_at = service.ledger.account(STANDALONE).left_at
    leave(service, STANDALONE)
    assert service.ledger.account(STANDALONE).left_at == left_at


def test_a_linked_account_that_left_by_itself_is_not_registered_again_by_its_payer(
    payer, serve, sandbox, api
):
    linked = sandbox.accounts["linked-1"]
    own = serve(linked)
    own.register(identified(linked, "linked"), "one")
    leave(own, linked)
    assert payer.ledger.account(linked).left_at is not None
    payer.linked.note({linked: ("one", "pass")})
    assert linked not in payer.linked.waiting(PAYER)
    assert payer.linked.left_with(PAYER) == {}
    assert confirm(payer, PAYER, WITH_STACKSET).answers["stackset"].state == "confirmed"
    assert api.status(linked) is None


def test_a_stackset_that_octo_never_confirmed_waits_while_linked_accounts_have_left(
    serve, account, sandbox, state
):
    account("payer", "payer")
    account("linked-1", "linked")
    linked, service = sandbox.accounts["linked-1"], serve(PAYER)
    service.register(identified(PAYER), "Acme")
    service.linked.note({linked: ("one", "pass")})
    confirm(service, PAYER, {**PASSED, "stackset": "pending"})
    own = serve(linked)
    leave(own, linked)
    answer = confirm(service, PAYER, WITH_STACKSET).answers["stackset"]
    assert answer.state == "waiting"
    assert answer.reason.startswith("1 linked account left Octo")
    assert set(state.accounts) == {PAYER}
    followed = service.confirm_remaining(PAYER, may_register=True)  # the hint
    assert followed.answers["stackset"].state == "confirmed"


def test_statuses_are_of_the_last_verification_after_the_account_left(serve, account):
    account("standalone", "standalone")
    service = serve(STANDALONE)
    service.register(identified(STANDALONE), "Acme")
    confirm(service, STANDALONE)
    leave(service, STANDALONE)
    record = confirm(service, STANDALONE, {**PASSED, "api_access": "fail"}).record
    assert record.statuses["api_access"] == "fail"
    assert record.left_at is not None
