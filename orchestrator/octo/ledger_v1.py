"""Version 1 of the ledger: what of it is true is carried over to version 2.

Version 1 said ``registered_at`` of an account that was merely planned, ``finished_at`` without
credentials for Octo, and noted ``by_hand`` as Octo's answer.
"""

from __future__ import annotations

from typing import Any

SCHEMA = "octo-tf/ledger/v1"


def carry_over(document: dict[str, Any]) -> Any:
    """Give the accounts of a document of version 1 the form of version 2.

    What cannot be read is given as it is: validation then says what is wrong.
    """
    accounts = document.get("accounts")
    if not isinstance(accounts, dict):
        return accounts
    types = {old.get("account_type") for old in accounts.values() if isinstance(old, dict)}
    return {
        account_id: _record(old, of_a_payer="payer" in types)
        for account_id, old in accounts.items()
    }


def _record(old: Any, *, of_a_payer: bool) -> Any:
    if not isinstance(old, dict) or not isinstance(old.get("octo", {}), dict):
        return old
    answers = {
        area: answer
        for area, answer in old.get("octo", {}).items()
        if isinstance(answer, dict) and answer.get("state") != "by_hand"
    }
    confirmed_at = {
        area: answer.get("at") for area, answer in answers.items() if _is_confirmed(answer)
    }
    # A payer's linked accounts were never planned: version 1 noted when their access passed.
    was_planned = not (of_a_payer and old.get("account_type") == "linked")
    kept = ("account_id", "account_name", "account_type", "method", "verified_at", "statuses")
    return {
        **{name: old[name] for name in kept if name in old},
        "planned_at": old.get("registered_at") if was_planned else None,
        "passing_since": old.get("confirmed", {}),
        "registered_at": old.get("octo_registered_at"),
        "answers": answers,
        "confirmed_at": confirmed_at,
        "finished_at": old.get("finished_at") if "api_access" in confirmed_at else None,
    }


def _is_confirmed(answer: dict[str, Any]) -> bool:
    return answer.get("state") == "confirmed"
