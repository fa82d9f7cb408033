"""How accounts' standing with Octo changes, shown as it happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click

from orchestrator.errors import OctoError
from orchestrator.octo.api import OctoApi
from orchestrator.octo.messages import DataAccess

_SECONDS = 0.2


@contextmanager
def told(api: OctoApi, names: Mapping[str, str]) -> Iterator[None]:
    """Says every change on stderr during the block; ``names`` by account id."""
    ended = threading.Event()
    seen: dict[str, str] = {}

    def watch() -> None:
        while not ended.wait(_SECONDS):
            try:
                known = list(api.status_of_all())
            except OctoError:
                continue  # the runs that are watched say what is wrong
            for account in known:
                standing = in_words(account)
                if seen.get(account.target) != standing:
                    seen[account.target] = standing
                    name = names.get(account.target, account.target)
                    click.echo(f"  {name:11} Octo: {standing}", err=True)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join(timeout=5)


def until_registered(api: OctoApi, account_id: str, seconds: float) -> None:
    """Waits until Octo knows the account, or so long."""
    deadline = time.monotonic() + seconds
    while api.status(account_id) is None and time.monotonic() < deadline:
        time.sleep(_SECONDS)


def in_words(account: DataAccess) -> str:
    """What Octo has confirmed of an account; it may be finished as soon as API access is."""
    status = account.aws_options.registration_status
    if not status.api_access:
        return "registered"
    steps = ["registered", "API access confirmed"]
    if account.account_type == "payer":
        steps.append(f"CUR and S3 {'confirmed' if status.cur_export else 'pending'}")
    if status.stack_set:
        steps.append("StackSet confirmed")
    return ", ".join(steps)
