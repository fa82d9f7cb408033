"""Unlock: remove a state lock that a dead run left behind."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.app import steps
from orchestrator.app.context import AccountContext


def unlock(context: AccountContext, lock_id: str, *, consent: Callable[[], None]) -> None:
    """Remove a state lock.

    Args:
        lock_id: as the error shows it that met the lock.
        consent: asked before the lock is removed; raises where the user does not agree.

    Raises:
        EngineError: there is no such lock.
    """
    account = steps.identify(context, registering=False)
    with context.locked():
        prepared = steps.prepare(context, account)
        consent()
        prepared.terraform.force_unlock(lock_id)
