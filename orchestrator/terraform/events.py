"""Parse Terraform's ``-json`` output, line by line, into typed events.

Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PlannedChange:
    """One resource that the plan changes.

    Attributes:
        action: Terraform's word for the change, e.g. ``create``.
        reason: Terraform's word for the cause, e.g. ``cannot_update``; empty if it gives none.
        imported: whether the resource exists in AWS and is imported first.
    """

    address: str
    type: str
    action: str
    reason: str = ""
    imported: bool = False


@dataclass(frozen=True)
class ResourceProgress:
    """The progress of one resource in an apply.

    Attributes:
        stage: ``start``, ``progress``, ``complete`` or ``errored``.
        action: Terraform's word for the change.
        elapsed: seconds since the start.
    """

    stage: str
    address: str
    action: str
    elapsed: float


@dataclass(frozen=True)
class Diagnostic:
    """An error or a warning of Terraform's.

    Attributes:
        severity: ``error`` or ``warning``.
        address: the resource it is about; empty if none.
        place: ``file:line`` of the configuration it is about; empty if none.
    """

    severity: str
    summary: str
    detail: str
    address: str
    place: str


@dataclass(frozen=True)
class OutputValues:
    """The root's outputs by name; the event of a plan has no values."""

    values: dict[str, Any]


@dataclass(frozen=True)
class UnparsedLine:
    """A line that is not one of Terraform's events."""

    line: str


Event = PlannedChange | ResourceProgress | Diagnostic | OutputValues | UnparsedLine


def parse(line: str) -> Event | None:
    """Parse one line; None for kinds of events that are not used."""
    try:
        message = json.loads(line)
        kind = message["type"]
    except (ValueError, KeyError, TypeError):
        return UnparsedLine(line.rstrip()) if line.strip() else None
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
