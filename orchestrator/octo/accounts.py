"""The accounts registered with Octo, next to the organization's members."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.octo.messages import NO_ERROR, OUTDATED, DataAccess


@dataclass(frozen=True)
class ListedAccount:
    """An account as Octo and its organization have it.

    Attributes:
        name: as Octo shows it, or else the organization.
        account_type: as Octo has it; empty where Octo has not found it out.
        state: ``registered``: Octo has access; ``not_confirmed``: registered, but Octo has not
            confirmed API access; ``broken``: registered, and Octo reports an error;
            ``unregistered``: Octo does not know it.
        in_organization: None where the organization was not read.
        payer_id: a linked account's payer, as Octo has it; empty where it has none.
        areas: what Octo has confirmed.
        reason: the error that Octo reports, or that its template has changed.
    """

    account_id: str
    name: str
    account_type: str
    state: str
    in_organization: bool | None
    payer_id: str = ""
    areas: tuple[str, ...] = ()
    reason: str = ""


def compare(known: Iterable[DataAccess], members: dict[str, str] | None) -> list[ListedAccount]:
    """List every account of Octo's and of the organization, by id.

    Args:
        known: what Octo knows.
        members: the organization's active accounts, id to name; None where it was not read.
    """
    listed = {account.target: _known(account, members) for account in known}
    for account_id, name in (members or {}).items():
        if account_id not in listed:
            listed[account_id] = ListedAccount(account_id, name, "", "unregistered", True)
    return [listed[account_id] for account_id in sorted(listed)]


def _known(account: DataAccess, members: dict[str, str] | None) -> ListedAccount:
    options = account.aws_options
    status = options.registration_status
    confirmed = {
        "api_access": status.api_access,
        "cur_s3": status.cur_export,
        "stackset": status.stack_set,
    }
    error = "" if options.status in NO_ERROR else options.status
    reason = "the template is outdated" if options.status == OUTDATED else error
    state = "broken" if error else "registered" if status.api_access else "not_confirmed"
    return ListedAccount(
        account.target,
        options.account_name,
        account.account_type,
        state,
        None if members is None else account.target in members,
        options.payer_id if options.payer_id != account.target else "",
        tuple(area for area, is_confirmed in confirmed.items() if is_confirmed),
        reason,
    )
