"""JSON lines: each event as one object on one line, for a program that drives octo-tf.

``docs/schemas/events-v1.json`` describes them. They hold no secrets.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from orchestrator import report
from orchestrator.app import events
from orchestrator.errors import ConfigError

SCHEMA = "octo-tf/events/v1"


class JsonLines:
    """A consumer of events.

    Args:
        write: takes each line, newline included, and passes it on at once.
        now: seconds since the epoch.
    """

    def __init__(
        self, write: Callable[[str], object], *, now: Callable[[], float] = time.time
    ) -> None:
        self._write = write
        self._now = now

    def __call__(self, event: events.Event) -> None:
        """Write an event."""
        document = {
            "schema": SCHEMA,
            "time": round(self._now(), 3),
            "event": event.code,
            **_fields(event),
        }
        self._write(json.dumps(document) + "\n")


def open_target(target: str) -> Callable[[str], object]:
    """Open what ``--events jsonl=TARGET`` names: a file, or ``fd:N`` for an open descriptor.

    Raises:
        ConfigError: it cannot be written.
    """
    place: int | str = target
    try:
        if target.startswith("fd:"):
            place = int(target.removeprefix("fd:"))
        # For the whole run, and handed on line by line.
        keep = isinstance(place, int)
        stream = open(place, "a", encoding="utf-8", buffering=1, closefd=not keep)  # noqa: SIM115
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"events cannot be written: {getattr(error, 'strerror', None) or error}",
            where=f"--events jsonl={target}",
            hint="Name a file in a folder that can be written, or fd:N for an open descriptor.",
        ) from error
    return stream.write


def _fields(event: events.Event) -> dict[str, Any]:
    if isinstance(event, events.PlanMade):
        return {"plan": json.loads(report.render_plan(event.review, "json"))}
    if isinstance(event, events.ReportMade):
        return {"report": json.loads(report.render_verification(event.report, "json"))}
    if isinstance(event, events.LinkedAccountsProgress):
        accounts = event.accounts.items()
        return {"accounts": {a: {"status": s, "reason": r} for a, (s, r) in accounts}}
    return asdict(event)
