"""Unregistering: Octo forgets an account, and the linked accounts that are to go with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.errors import LedgerError, OctoError, OctoUnreachable
from orchestrator.model.octo_records import AccountRecord
from orchestrator.model.words import counted, listed
from orchestrator.octo.batch import for_each
from orchestrator.octo.ledger import Ledger

if TYPE_CHECKING:
    from orchestrator.octo.api import OctoApi  # requests takes a while to load


_SHOWN = 20  # linked accounts that are named; the rest is counted


@dataclass(frozen=True)
class Departure:
    """What Octo knows of an account that is to be unregistered.

    Attributes:
        record: what was noted of it here; None if nothing was.
        name: as Octo shows it, or as it was noted here.
        account_type: the same; empty where neither knows it.
        is_known: whether Octo knows the account.
        linked: the linked accounts of it that Octo knows: names by id.
    """

    account_id: str
    record: AccountRecord | None = None
    name: str = ""
    account_type: str = ""
    is_known: bool = False
    linked: Mapping[str, str] = field(default_factory=dict)


def describe(api: OctoApi, ledger: Ledger, account_id: str) -> Departure:
    """Ask Octo what there is to unregister; the ledger may be absent.

    Raises:
        OctoError: Octo refuses, or does not answer.
        LedgerError: the ledger cannot be read.
    """
    noted = ledger.accounts()
    known = {account.target: account for account in api.status_of_all()}
    # Octo knows the payer of a linked account once it has confirmed its access; until then only
    # the ledger has it.
    linked = {
        target: account.aws_options.account_name
        for target, account in known.items()
        if target != account_id
        and (
            account.aws_options.payer_id == account_id
            or (target in noted and noted[target].account_type == "linked")
        )
    }
    own = known.get(account_id)
    record = noted.get(account_id)
    return Departure(
        account_id,
        record,
        (own.aws_options.account_name if own else "") or (record.account_name if record else ""),
        (own.account_type if own else "") or (record.account_type or "" if record else ""),
        own is not None,
        dict(sorted(linked.items())),
    )


def carry_out(
    api: OctoApi,
    ledger: Ledger,
    departure: Departure,
    *,
    with_linked: bool,
    warn: Callable[[str], None],
) -> None:
    """Have Octo forget the accounts: linked ones first, each noted as it goes.

    An account that Octo does not know is noted as one that left. The ledgers of other accounts in
    the same working folder note it too: a payer's verification registers its linked accounts.

    Args:
        warn: reports one sentence.

    Raises:
        OctoError: Octo refuses, or does not answer; the same call again goes on with the rest.
        LedgerError: the ledger cannot be changed.
    """
    account_id = departure.account_id
    leaving = dict(departure.linked) if with_linked else {}
    gone: list[str] = []

    def note(account_ids: list[str]) -> None:
        gone.extend(account_ids)
        records = {
            a: AccountRecord(account_id=a, account_name=leaving[a], account_type="linked")
            for a in account_ids
        }
        ledger.note_left(records, payer=account_id)

    try:
        for_each(leaving, api.unregister, note)
        if departure.is_known:
            api.unregister(account_id)
    except OctoError as error:
        raise _partial(error, len(gone), len(leaving) + departure.is_known) from None
    if departure.is_known or departure.record is None or departure.record.left_at is None:
        own = AccountRecord(account_id=account_id, account_name=departure.name)
        ledger.note_left({account_id: own}, payer=account_id)
    for other in ledger.others():
        try:
            known = other.accounts()
            left = {a: known[a] for a in (account_id, *leaving) if a in known}
            left = {a: record for a, record in left.items() if record.left_at is None}
            if left:
                other.note_left(left, payer=account_id)
        except LedgerError as error:
            warn(f"{error}. That ledger may still list the account as registered.")


def count(linked: Collection[str]) -> str:
    """Count linked accounts in words."""
    return counted(len(linked), "linked account")


def named(linked: Mapping[str, str]) -> str:
    """Count linked accounts in words, and name them; of many the first."""
    names = [f"{account_id} {name}".rstrip() for account_id, name in linked.items()]
    return f"{count(linked)} ({listed(names, _SHOWN)})"


def _partial(error: OctoError, gone: int, all_of_them: int) -> OctoError:
    if not gone:
        return error
    accounts, have = counted(gone, "account"), "has" if gone == 1 else "have"
    going_on = f"{accounts} of {all_of_them} {have} left; the same command goes on with the rest."
    hint = going_on if isinstance(error, OctoUnreachable) else f"{error.hint} {going_on}"
    return type(error)(error.what, where=error.where, hint=hint)
