"""Terraform's ``-json`` output, line by line, as typed events.

Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PlannedChange:
    """One resource that the plan changes; ``action`` and ``reason`` are Terraform's words.

    ``imported``: Terraform takes over what AWS has, whatever it then changes about it.
    """

    address: str
    type: str
    action: str
    reason: str = ""
    imported: bool = False


@dataclass(frozen=True)
class ResourceProgress:
    """A resource's way through apply or refresh.

    ``stage`` is ``start``, ``progress``, ``complete`` or ``errored``; ``elapsed`` is in seconds.
    """

    stage: str
    address: str
    action: str
    elapsed: float


@dataclass(frozen=True)
class Diagnostic:
    """An error or a warning, with the resource and the file it is about, where there are any."""

    severity: str
    summary: str
    detail: str
    address: str
    place: str


@dataclass(frozen=True)
class OutputValues:
    """The root's outputs by name; only an apply's hold values."""

    values: dict[str, Any]


@dataclass(frozen=True)
class Noise:
    """A line that is not one of Terraform's events."""

    line: str


Event = PlannedChange | ResourceProgress | Diagnostic | OutputValues | Noise


def parse(line: str) -> Event | None:
    """The event of one line; None for events that nobody here needs."""
    try:
        message = json.loads(line)
        kind = message["type"]
    except (ValueError, KeyError, TypeError):
        return Noise(line.rstrip()) if line.strip() else None
    if kind == "planned_change":
        change = message["change"]
        resource = change["resource"]
        return PlannedChange(
            resource["addr"],
            resource["resource_type"],
            change["action"],
            change.get("reason", ""),
            bool(change.get("importing")),
        )
    if kind in ("apply_start", "apply_progress", "apply_complete", "apply_errored"):
        hook = message["hook"]
        return ResourceProgress(
            kind.removeprefix("apply_"),
            hook["resource"]["addr"],
            hook.get("action", ""),
            float(hook.get("elapsed_seconds", 0)),
        )
    if kind == "diagnostic":
        return _diagnostic(message["diagnostic"])
    if kind == "outputs":
        outputs = message["outputs"]
        return OutputValues({name: o["value"] for name, o in outputs.items() if "value" in o})
    return None


def _diagnostic(document: dict[str, Any]) -> Diagnostic:
    where = document.get("range") or {}
    line = where.get("start", {}).get("line")
    return Diagnostic(
        document.get("severity", "error"),
        document.get("summary", ""),
        document.get("detail", ""),
        document.get("address", ""),
        f"{where['filename']}:{line}" if where.get("filename") and line else "",
    )
