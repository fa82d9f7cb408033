"""Look up moto's backend of an account in constant time.

moto (5.2, core/base_backend.py) searches a list of every account it has, under one lock, each time
a backend is asked for; a call asks half a dozen times.
"""

from __future__ import annotations

from typing import Any

from moto.core.base_backend import BackendDict

_SEARCH = BackendDict.__getitem__


def _of_account(backends: Any, account_id: str) -> Any:
    found = dict.get(backends, account_id)
    return _SEARCH(backends, account_id) if found is None else found  # creates it


def install() -> None:
    """Replace the lookup of every moto backend in this process; idempotent."""
    BackendDict.__getitem__ = _of_account
