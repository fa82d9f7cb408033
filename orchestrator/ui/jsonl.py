"""JSON lines: each event as one object on one line, for a program that drives octo-tf.

``docs/schemas/events-v1.json`` describes them. They hold no secrets.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TextIO

from orchestrator import report
from orchestrator.app import events
from orchestrator.errors import ConfigError

SCHEMA = "octo-tf/events/v1"


class JsonLines:
    """Write each event as one JSON object on a line.

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
    return _Target(stream, target).write


class _Target:
    """A file of events; a run goes on without them where it takes no more."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream: TextIO | None = stream
        self._name = name

    def write(self, line: str) -> None:
        """Write a line; say once, on stderr, that no more are written."""
        if self._stream is None:
            return
        try:
            self._stream.write(line)
        except (OSError, ValueError) as error:
            self._stream = None
            reason = getattr(error, "strerror", None) or error
            print(f"{self._name}: no more events are written: {reason}", file=sys.stderr)


def _fields(event: events.Event) -> dict[str, Any]:
    if isinstance(event, events.PlanMade):
        return {"plan": json.loads(report.render_plan(event.review, "json"))}
    if isinstance(event, events.ReportMade):
        return {"report": json.loads(report.render_verification(event.report, "json"))}
    if isinstance(event, events.LinkedAccountsProgress):
        accounts = event.accounts.items()
        return {"accounts": {a: {"status": s, "reason": r} for a, (s, r) in accounts}}
    return asdict(event)
