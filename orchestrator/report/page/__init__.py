"""The page of one run, a report to share; each of its formats is a module here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.app.review import Review
    from orchestrator.stackset.examination import Examination
    from orchestrator.verify.model import Report


@dataclass(frozen=True)
class Page:
    """One run of a command that plans, verifies or predicts; at least one result is set.

    Attributes:
        made_at: when the run ended.
        asked: the settings that say what to register, by name; no secret is among them.
        repeat: command lines, each with what it does; secrets are left out.
        examination: what a preflight found, if the command made one.
    """

    command: str
    made_at: datetime
    asked: Mapping[str, object] = field(default_factory=dict)
    repeat: Sequence[tuple[str, str]] = ()
    review: Review | None = None
    report: Report | None = None
    examination: Examination | None = None
