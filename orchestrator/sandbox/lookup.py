"""moto's lookup of an account's backend, as quick for ten thousand accounts as for ten.

moto (5.2, core/base_backend.py) searches a list of every account it has, under one lock, each time
a backend is asked for; a call asks half a dozen times.
"""

from __future__ import annotations

from typing import Any

from moto.core.base_backend import BackendDict

_SEARCH = BackendDict.__getitem__


def _of_account(backends: Any, account_id: str) -> Any:
    found = dict.get(backends, account_id)
    return _SEARCH(backends, account_id) if found is None else found  # made when first asked for


def install() -> None:
    """Has every moto backend of this process looked up by key; may be called again."""
    BackendDict.__getitem__ = _of_account
