"""octo-tf status: an account's history in words and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from orchestrator.model.account import Account
from orchestrator.model.octo_records import AccountRecord, OctoAnswer
from orchestrator.octo import history
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.registration import RegistrationService
from orchestrator.report.history import render_json, render_text

ACCOUNT = "111122223333"
PAYER = Account(ACCOUNT, "payer", f"arn:aws:iam::{ACCOUNT}:root", None)
STATUS = json.loads((Path(__file__).parents[2] / "docs/schemas/status-v1.json").read_text())


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.json")


def shown(ledger: Ledger) -> dict[str, str]:
    """The lines of the text by their name, without credentials for Octo; JSON is valid."""
    known = history.read(RegistrationService(ledger, None), ACCOUNT)
    jsonschema.validate(json.loads(render_json(known)), STATUS)
    lines = [line for line in render_text(known).splitlines() if not line.startswith(" ")]
    return {line[:11].strip(): line[12:] for line in lines}


def test_of_a_plan_nothing_but_the_plan_is_said(ledger):
    ledger.note_planned(PAYER, "Acme")
    lines = shown(ledger)
    assert lines.pop("Planned").startswith("20")
    assert lines == {
        "Account": "111122223333 Acme (payer)",
        "Applied": "no record here",
        "Verified": "no record here",
        "Registered": "no record here",
        "Finished": "no record here",
        "To do": "Run octo-tf apply.",
    }


def test_without_credentials_the_registration_is_the_first_thing_to_do(ledger):
    ledger.note_verified(
        replace(PAYER, account_type="linked"), "Acme", {"api_access": "pass"}, method="terraform"
    )
    lines = shown(ledger)
    assert (lines["Registered"], lines["Finished"]) == ("no record here", "no record here")
    assert lines["To do"] == "In Octo: Register Account."


def test_octos_answers_are_shown_with_their_times(ledger):
    ledger.note_verified(PAYER, "Acme", {"api_access": "pass"}, method="terraform")
    ledger.note_registered(ACCOUNT, "Acme", "payer", method="terraform", since="2026-01-01T00:00")
    confirmed = OctoAnswer(state="confirmed", at="2026-01-02T00:00")
    ledger.note_answers(ACCOUNT, {"api_access": confirmed}, finish=True)
    down = OctoAnswer(state="unreachable", at="2026-01-03T00:00", reason="Octo does not answer")
    ledger.note_answers(ACCOUNT, {"api_access": down})
    known = history.read(RegistrationService(ledger, None), ACCOUNT)
    text = render_text(known)
    assert "Registered  with Octo since 2026-01-01T00:00" in text
    assert (
        "  API access  confirmed by Octo since 2026-01-02T00:00; unreachable on 2026-01-03T00:00:"
        " Octo does not answer"
    ) in text


def test_an_account_that_octo_did_not_know_is_said_to_be_unknown(ledger):
    ledger.note_verified(PAYER, "Acme", {"api_access": "pass"}, method="console")
    unknown = OctoAnswer(state="not_registered", at="2026-01-03T00:00")
    ledger.note_answers(ACCOUNT, {"api_access": unknown})
    lines = shown(ledger)
    assert lines["Registered"] == "no, Octo did not know the account on 2026-01-03T00:00"
    assert lines["Resources"] == "made by CloudFormation stacks (octo-tf console)"


def test_linked_accounts_are_counted(ledger):
    ledger.note_planned(PAYER, "Acme")
    names = {f"22223333444{n}": (f"n{n}", "pass") for n in range(3)}
    ledger.note_linked(names)
    ledger.note_linked_registered(["222233334440", "222233334441"])
    gone = AccountRecord(account_id="222233334441", account_name="n1")
    ledger.note_left({"222233334441": gone}, payer=ACCOUNT)
    assert shown(ledger)["Linked"] == (
        "1 registered with Octo, 1 waiting to be registered, 1 left Octo"
    )


def test_a_destroy_that_has_not_ended_is_what_is_to_be_done(ledger):
    ledger.note_applied(PAYER, "Acme", method="terraform")
    ledger.note_destroying(PAYER, "Acme", {"222233334444"})
    lines = shown(ledger)
    assert lines["Destroying"].endswith(", not ended")
    assert lines["Kept"] == "AlphausAcctAccessRole in 1 linked account: 222233334444"
    assert lines["To do"].startswith("An octo-tf destroy that began on 20")
    ledger.note_destroyed({ACCOUNT})
    assert "Destroying" not in shown(ledger)
    ledger.note_destroying(PAYER, "Acme", ())
    ledger.note_applied(PAYER, "Acme", method="terraform")
    assert {"Destroying", "Kept"}.isdisjoint(shown(ledger))


def test_a_destroyed_account_is_to_leave_octo_and_has_nothing_to_do_once_it_left(ledger):
    ledger.note_applied(PAYER, "Acme", method="terraform")
    ledger.note_destroyed({ACCOUNT})
    lines = shown(ledger)
    assert lines["Destroyed"].startswith("20")
    assert lines["To do"] == "In Octo: remove the account, if it is registered there."
    record = AccountRecord(account_id=ACCOUNT, account_name="Acme")
    ledger.note_left({ACCOUNT: record}, payer=ACCOUNT)
    assert "To do" not in shown(ledger)
