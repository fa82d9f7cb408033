"""Look up moto's backend of an account, and its place in the organization, in constant time.

moto (5.2, core/base_backend.py) searches a list of every account it has, under one lock, each time
a backend is asked for; a call asks half a dozen times. An organization's accounts are a list, too.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from moto.core.base_backend import BackendDict

_SEARCH = BackendDict.__getitem__
# Of each organization: how many accounts it had, the last one, and all by their ids.
_members: WeakKeyDictionary[Any, tuple[int, Any, dict[str, Any]]] = WeakKeyDictionary()


def _of_account(backends: Any, account_id: str) -> Any:
    found = dict.get(backends, account_id)
    return _SEARCH(backends, account_id) if found is None else found  # creates it


def install() -> None:
    """Replace the lookup of every moto backend in this process; idempotent."""
    BackendDict.__getitem__ = _of_account


def member(organization: Any, account_id: str) -> Any | None:
    """Get an account of moto's organization; None if it is not in it.

    moto appends accounts and removes them: their number or the last one then differs.
    """
    accounts = organization.accounts
    count, last = len(accounts), accounts[-1] if accounts else None
    known = _members.get(organization)
    if known is None or known[0] != count or known[1] is not last:
        known = _members[organization] = (count, last, {a.id: a for a in accounts})
    return known[2].get(account_id)
