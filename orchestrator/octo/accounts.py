"""What Octo knows, side by side with the organization."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.octo.messages import DataAccess

_NO_ERROR = ("", "latest", "outdated")


@dataclass(frozen=True)
class Standing:
    """An account as Octo and its organization have it.

    Attributes:
        state: ``registered``: Octo has access; ``broken``: Octo knows it and has none;
            ``unregistered``: it is in the organization only.
        in_organization: None where the organization was not read.
        areas: what Octo has confirmed.
        reason: why it is broken.
    """

    account_id: str
    name: str
    account_type: str
    state: str
    in_organization: bool | None
    areas: tuple[str, ...] = ()
    reason: str = ""


def compare(known: Iterable[DataAccess], members: dict[str, str] | None) -> list[Standing]:
    """Every account of either side, by id.

    Args:
        known: what Octo knows.
        members: the organization's active accounts, id to name; None where it was not read.
    """
    standings = {account.target: _known(account, members) for account in known}
    for account_id, name in (members or {}).items():
        if account_id not in standings:
            standings[account_id] = Standing(account_id, name, "", "unregistered", True)
    return [standings[account_id] for account_id in sorted(standings)]


def _known(account: DataAccess, members: dict[str, str] | None) -> Standing:
    options = account.aws_options
    status = options.registration_status
    confirmed = {
        "api_access": status.api_access,
        "cur_s3": status.cur_export,
        "stackset": status.stack_set,
    }
    error = "" if options.status in _NO_ERROR else options.status
    broken = bool(error) or not status.api_access
    reason = error or ("API access is not confirmed." if broken else "")
    return Standing(
        account.target,
        options.account_name,
        account.account_type,
        "broken" if broken else "registered",
        None if members is None else account.target in members,
        tuple(area for area, is_confirmed in confirmed.items() if is_confirmed),
        reason,
    )
