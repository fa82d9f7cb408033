"""The ledger is a true history: it notes what happened, and loses nothing."""

from __future__ import annotations

import json
import stat
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from filelock import FileLock

from orchestrator.errors import LedgerError
from orchestrator.model.account import Account
from orchestrator.model.enrolment import MadeEnrolment
from orchestrator.model.octo_records import AccountRecord, OctoAnswer
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.linked_accounts import LinkedRegistrations

ACCOUNT = "111122223333"
PAYER = Account(ACCOUNT, "payer", f"arn:aws:iam::{ACCOUNT}:root", None)
LINKED = "222233334444"
PASSED = {"api_access": "pass", "cur_s3": "pending", "stackset": "skipped"}
BY_TERRAFORM = {"method": "terraform"}


def at(hour: int) -> str:
    return f"2026-01-01T{hour:02}:00:00+00:00"


def confirmed(hour: int) -> dict[str, OctoAnswer]:
    return {"api_access": OctoAnswer(state="confirmed", at=at(hour))}


@pytest.fixture
def clock():
    class Clock:
        hour = 0

        def __call__(self) -> datetime:
            return datetime(2026, 1, 1, self.hour, tzinfo=timezone.utc)

    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.json", now=clock)


def verify(ledger: Ledger, **statuses: str) -> AccountRecord:
    return ledger.note_verified(PAYER, "Acme", {**PASSED, **statuses}, **BY_TERRAFORM)


def register(ledger: Ledger) -> AccountRecord:
    return ledger.note_registered(ACCOUNT, "Acme", "payer", **BY_TERRAFORM)


def test_what_was_enrolled_is_known_until_it_is_ended_also_after_the_account_left(ledger):
    register(ledger)
    made = MadeEnrolment(at=at(0), account=True, members=True, members_before=2, role=True)
    ledger.note_enrolment(ACCOUNT, "cost_optimization_hub", made)
    ledger.note_enrolment(ACCOUNT, "trusted_advisor", MadeEnrolment(at=at(0), role=True))
    ledger.note_destroyed([ACCOUNT])
    ledger.note_left({ACCOUNT: ledger.account(ACCOUNT)}, payer=ACCOUNT)
    assert ledger.account(ACCOUNT).enrolments["cost_optimization_hub"] == made
    ledger.note_enrolment(ACCOUNT, "cost_optimization_hub", None)
    assert set(ledger.account(ACCOUNT).enrolments) == {"trusted_advisor"}


def test_a_plan_notes_its_time_and_nothing_else(ledger, clock):
    assert ledger.account(ACCOUNT) is None
    planned = ledger.note_planned(PAYER, "Acme")
    assert planned == AccountRecord(
        account_id=ACCOUNT, account_name="Acme", account_type="payer", planned_at=at(0)
    )
    ledger.note_applied(PAYER, "Acme", **BY_TERRAFORM)
    verify(ledger)
    before = register(ledger)
    clock.hour = 5
    assert ledger.note_planned(
        replace(PAYER, account_type="linked"), "Another name"
    ) == before.model_copy(update={"planned_at": at(5)})


def test_each_event_has_its_own_time(ledger, clock):
    ledger.note_planned(PAYER, "Acme")
    for hour, note in enumerate(
        (
            lambda: ledger.note_applied(PAYER, "Acme", **BY_TERRAFORM),
            lambda: register(ledger),
            lambda: verify(ledger),
        ),
        start=1,
    ):
        clock.hour = hour
        note()
    clock.hour = 4
    record = ledger.note_answers(ACCOUNT, confirmed(4), finish=True)
    assert (record.planned_at, record.applied_at, record.registered_at) == (at(0), at(1), at(2))
    assert (record.verified_at, record.passing_since) == (at(3), {"api_access": at(3)})
    assert (record.confirmed_at, record.finished_at) == ({"api_access": at(4)}, at(4))


def test_a_verification_alone_registers_and_finishes_nothing(ledger):
    record = verify(ledger)
    assert not record.is_registered
    assert (record.registered_at, record.finished_at, record.answers) == (None, None, {})


def test_what_passes_on_and_on_passes_since_the_first_time(ledger, clock):
    verify(ledger)
    clock.hour = 5
    assert verify(ledger).passing_since == {"api_access": at(0)}
    assert verify(ledger, api_access="fail").passing_since == {}
    clock.hour = 6
    assert verify(ledger).passing_since == {"api_access": at(6)}


def test_what_octo_takes_back_is_no_longer_confirmed_and_the_history_stays(ledger, clock):
    verify(ledger)
    ledger.note_answers(ACCOUNT, confirmed(0), finish=True)
    clock.hour = 5
    unreachable = OctoAnswer(state="unreachable", at=at(5))
    record = ledger.note_answers(ACCOUNT, {"api_access": unreachable})
    assert record.confirmed_at == {"api_access": at(0)}  # not known to be otherwise
    refused = OctoAnswer(state="refused", at=at(5), reason="no role")
    record = ledger.note_answers(ACCOUNT, {"api_access": refused})
    assert (record.confirmed_at, record.finished_at) == ({}, at(0))
    assert record.unconfirmed == ["api_access"]


def test_an_account_that_left_keeps_its_history_until_it_is_registered_again(ledger, clock):
    verify(ledger)
    register(ledger)
    ledger.note_answers(ACCOUNT, confirmed(0), finish=True)
    clock.hour = 2
    ledger.note_left({ACCOUNT: AccountRecord(account_id=ACCOUNT, account_name="")}, payer=ACCOUNT)
    left = ledger.account(ACCOUNT)
    assert not left.is_registered
    assert (left.registered_at, left.finished_at, left.left_at) == (at(0), at(0), at(2))
    assert left.account_name == "Acme"
    clock.hour = 3
    for note in (lambda: verify(ledger), lambda: ledger.note_unknown(ACCOUNT)):
        note()
        assert ledger.account(ACCOUNT).left_at == at(2)
    again = register(ledger)
    assert again.is_registered
    assert (again.registered_at, again.left_at) == (at(3), None)
    assert (again.confirmed_at, again.finished_at) == ({}, None)


def test_an_account_that_octo_no_longer_knows_is_not_one_that_left(ledger):
    verify(ledger)
    register(ledger)
    record = ledger.note_unknown(ACCOUNT)
    assert not record.is_registered
    assert (record.registered_at, record.left_at) == (None, None)


def test_linked_accounts_are_noted_once_they_pass_and_return_only_when_readmitted(ledger):
    ledger.note_linked({LINKED: ("one", "pass"), "333344445555": ("two", "fail")})
    assert set(ledger.accounts()) == {LINKED}
    ledger.note_linked_registered([LINKED])
    ledger.note_left({LINKED: AccountRecord(account_id=LINKED, account_name="")}, payer=ACCOUNT)
    ledger.note_linked({LINKED: ("one", "pass")})
    assert ledger.account(LINKED).left_with == ACCOUNT
    ledger.readmit([LINKED])
    assert (ledger.account(LINKED).left_at, ledger.account(LINKED).left_with) == (None, None)


def test_nothing_passes_in_an_account_that_was_destroyed_until_it_is_applied_again(ledger, clock):
    ledger.note_applied(PAYER, "Acme", **BY_TERRAFORM)
    verify(ledger)
    ledger.note_linked({LINKED: ("one", "pass")})
    clock.hour = 1
    ledger.note_destroyed({ACCOUNT, LINKED, "an account that was never noted"})
    assert set(ledger.accounts()) == {ACCOUNT, LINKED}
    for record in ledger.accounts().values():
        assert (record.destroyed_at, record.verified_at, record.statuses) == (at(1), None, {})
    ledger.readmit([LINKED])  # it comes back with its payer once the StackSet reaches it
    assert LinkedRegistrations(ledger, None).waiting(ACCOUNT) == {}
    ledger.note_applied(PAYER, "Acme", **BY_TERRAFORM)
    assert ledger.account(ACCOUNT).destroyed_at is None


def test_what_terraform_applied_stays_terraforms_and_a_mere_plan_does_not_bind(ledger):
    ledger.note_planned(PAYER, "Acme")
    by_console = ledger.note_verified(PAYER, "Acme", PASSED, method="console")
    assert by_console.method == "console"
    ledger.note_applied(PAYER, "Acme", method="terraform")
    checked = ledger.note_verified(PAYER, "Acme", PASSED, method="console")
    assert checked.method == "terraform"


@pytest.mark.parametrize(
    ("statuses", "registered", "steps"),
    [
        ({"api_access": "fail"}, False, []),
        (
            {"api_access": "pass", "cur_s3": "pending"},
            False,
            ["Register Account", "Check and Confirm for API access", "Confirm and Finish"],
        ),
        (
            {"api_access": "pass", "cur_s3": "pass", "stackset": "pass"},
            True,
            [
                "Check and Confirm for API access",
                "Check and Confirm for CUR and S3",
                "Check and Confirm for StackSet",
                "Confirm and Finish",
            ],
        ),
    ],
)
def test_what_is_left_to_do_by_hand_begins_with_the_registration(
    ledger, statuses, registered, steps
):
    record = ledger.note_verified(PAYER, "Acme", statuses, **BY_TERRAFORM)
    assert (register(ledger) if registered else record).steps_by_hand() == steps


def test_after_octo_confirmed_everything_nothing_is_left_to_do(ledger):
    verify(ledger)
    register(ledger)
    assert ledger.note_answers(ACCOUNT, confirmed(0), finish=True).steps_by_hand() == []


V1 = {
    "schema_version": "octo-tf/ledger/v1",
    "accounts": {
        ACCOUNT: {
            "account_id": ACCOUNT,
            "account_name": "Acme",
            "account_type": "payer",
            "registered_at": at(1),
            "verified_at": at(2),
            "statuses": PASSED,
            "confirmed": {"api_access": at(2)},
            "finished_at": at(2),
            "octo_registered_at": None,
            "octo": {"api_access": {"state": "by_hand", "at": at(2), "reason": "", "hint": "x"}},
            "method": "terraform",
        },
        LINKED: {
            "account_id": LINKED,
            "account_name": "one",
            "account_type": "linked",
            "registered_at": at(2),
            "verified_at": at(2),
            "statuses": {"api_access": "pass"},
            "confirmed": {"api_access": at(2)},
            "finished_at": at(2),
            "octo_registered_at": at(3),
            "octo": {},
            "method": "terraform",
        },
    },
}


def test_version_1_is_carried_over_without_what_it_claimed_wrongly(ledger, tmp_path, clock):
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(V1))
    payer = ledger.account(ACCOUNT)
    assert payer.planned_at == at(1)
    assert (payer.registered_at, payer.finished_at, payer.answers) == (None, None, {})
    assert (payer.verified_at, payer.passing_since) == (at(2), {"api_access": at(2)})
    linked = ledger.account(LINKED)
    assert (linked.planned_at, linked.registered_at, linked.finished_at) == (None, at(3), None)
    assert json.loads(path.read_text()) == V1  # reading changes nothing
    clock.hour = 4
    ledger.note_planned(PAYER, "Acme")
    document = json.loads(path.read_text())
    assert document["schema_version"] == "octo-tf/ledger/v2"
    assert document["accounts"][LINKED]["registered_at"] == at(3)


def test_what_octo_confirmed_in_version_1_stays_confirmed(ledger, tmp_path):
    old = json.loads(json.dumps(V1))
    answer = {"state": "confirmed", "at": at(3), "reason": "", "hint": ""}
    old["accounts"][ACCOUNT].update(octo={"api_access": answer}, octo_registered_at=at(1))
    (tmp_path / "ledger.json").write_text(json.dumps(old))
    record = ledger.account(ACCOUNT)
    assert (record.is_registered, record.confirmed_at) == (True, {"api_access": at(3)})
    assert record.finished_at == at(2)


def test_the_file_is_private_and_versioned(ledger, tmp_path):
    verify(ledger)
    path = tmp_path / "ledger.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["schema_version"] == "octo-tf/ledger/v2"


def test_the_file_has_what_is_known_of_an_account_and_no_nulls(ledger, tmp_path):
    ledger.note_linked({LINKED: ("one", "pass")})
    assert json.loads((tmp_path / "ledger.json").read_text())["accounts"][LINKED] == {
        "account_id": LINKED,
        "account_name": "one",
        "account_type": "linked",
        "verified_at": at(0),
        "statuses": {"api_access": "pass"},
        "passing_since": {"api_access": at(0)},
    }


def test_a_file_that_has_the_nulls_too_is_read_and_loses_nothing(ledger, tmp_path):
    path, record = tmp_path / "ledger.json", register(ledger)
    everything = {ACCOUNT: record.model_dump(mode="json")}
    assert None in everything[ACCOUNT].values()
    path.write_text(json.dumps({"schema_version": "octo-tf/ledger/v2", "accounts": everything}))
    ledger.note_linked({LINKED: ("one", "pass")})
    assert ledger.account(ACCOUNT) == record


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"accounts": {"1": {}}}',
        '{"schema_version": "octo-tf/ledger/v1"}',
        '{"schema_version": "octo-tf/ledger/v1", "accounts": {"1": {"octo": []}}}',
        '{"schema_version": "octo-tf/ledger/v1", "accounts": {"1": 1}}',
    ],
)
def test_a_damaged_ledger_is_left_as_it_is_and_reported(ledger, tmp_path, content):
    path = tmp_path / "ledger.json"
    path.write_text(content)
    with pytest.raises(LedgerError, match="is damaged"):
        verify(ledger)
    assert path.read_text() == content


def test_a_ledger_of_a_newer_version_is_not_overwritten(ledger, tmp_path):
    path = tmp_path / "ledger.json"
    path.write_text('{"schema_version": "octo-tf/ledger/v9", "accounts": {}}')
    with pytest.raises(LedgerError, match="octo-tf/ledger/v9"):
        verify(ledger)
    assert "v9" in path.read_text()


def test_a_held_lock_is_reported_after_a_bounded_wait(tmp_path):
    with (
        FileLock(tmp_path / "ledger.json.lock"),
        pytest.raises(LedgerError, match="held by another"),
    ):
        verify(Ledger(tmp_path / "ledger.json", lock_seconds=0.05))


def test_concurrent_changes_are_all_kept(ledger):
    ids = [f"{n:012}" for n in range(12)]
    accounts = [Account(i, "linked", f"arn:aws:iam::{i}:root", None) for i in ids]
    threads = [threading.Thread(target=ledger.note_planned, args=(one, "x")) for one in accounts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(ledger.account(account_id) for account_id in ids)


def test_deliveries_are_noted_once_each_and_kept_for_a_year(tmp_path):
    day = [0]
    ledger = Ledger(
        tmp_path / "ledger.json",
        now=lambda: datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(days=day[0]),
    )

    def verify_on(number: int, delivered_at: str | None) -> tuple[str, ...]:
        day[0] = number
        return ledger.note_verified(
            PAYER, "Acme", PASSED, **BY_TERRAFORM, delivered_at=delivered_at
        ).deliveries

    assert verify_on(1, None) == ()
    assert verify_on(1, "2026-01-01T08:00:00+00:00") == ("2026-01-01T08:00:00+00:00",)
    assert verify_on(1, "2026-01-01T08:00:00+00:00") == ("2026-01-01T08:00:00+00:00",)
    assert verify_on(200, "2026-07-19T08:00:00+00:00") == (
        "2026-01-01T08:00:00+00:00",
        "2026-07-19T08:00:00+00:00",
    )
    assert verify_on(400, None) == ("2026-07-19T08:00:00+00:00",)
    assert ledger.account(ACCOUNT).deliveries == ("2026-07-19T08:00:00+00:00",)


def test_a_destroy_is_noted_since_it_began_also_where_nothing_was_noted(ledger, clock):
    ledger.note_destroying(PAYER, "Acme", ())
    began = ledger.account("111122223333").destroying_at
    clock.hour += 1
    ledger.note_destroying(PAYER, "Acme", {"222233334444"})
    record = ledger.account("111122223333")
    assert (record.destroying_at, record.kept_roles) == (began, ("222233334444",))


def test_an_adopted_bucket_is_known_whatever_is_done_later(ledger):
    ledger.note_adopted_bucket(PAYER, "Acme", "acme-billing")
    ledger.note_applied(PAYER, "Acme", method="terraform")
    ledger.note_destroyed({"111122223333"})
    assert ledger.account("111122223333").adopted_bucket == "acme-billing"
