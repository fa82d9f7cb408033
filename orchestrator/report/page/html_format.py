"""One HTML file for a person: no script, nothing is loaded, everything is escaped.

The layout is in ``templates/report``; its colors meet WCAG 2.1 AA in light and dark.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from orchestrator import __version__, assets
from orchestrator.redaction import redact
from orchestrator.report.conclusion import conclusion, not_of_this_type, unapplied
from orchestrator.report.coverage_tree import problems, tree
from orchestrator.report.meaning import made_from, sections
from orchestrator.report.page import Page
from orchestrator.report.plan.text_format import sentences, summary
from orchestrator.report.preflight.text_format import denial
from orchestrator.stackset.guardrails import cause

# Characters that HTML does not allow, and those that would turn the direction of what follows.
_UNPRINTABLE = dict.fromkeys(
    [
        *(*range(9), 11, 12, *range(14, 32), *range(127, 160)),
        *(*range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    ],
    "\N{REPLACEMENT CHARACTER}",
)
_SHORTEST = timedelta(days=30)  # of the time that the plot of deliveries shows


@dataclass(frozen=True)
class _Plot:
    """Deliveries by day and time of day: the first and the last day, and points from 0 to 1."""

    first: datetime
    last: datetime
    points: list[tuple[float, float]]


def render(page: Page, *, color: bool = False) -> str:
    """Render a run as one file that needs no other; its colors are the reader's choice."""
    del color
    report, review, examination = page.report, page.review, page.examination
    obstacles = examination.guardrails.obstacles if examination else ()
    found = (result.finding.coverage for result in report.results) if report else ()
    coverage = next((covered for covered in found if covered), None)
    record = report.record if report else None
    template = _environment().get_template("page.html.j2")
    text = template.render(
        page=page,
        report=report,
        review=review,
        examination=examination,
        denials=[(denial(o), cause(o), o, json.dumps(o.exemption, indent=2)) for o in obstacles],
        subject=report or review or (examination and examination.account),
        version=__version__,
        conclusion=conclusion(report) if report else "",
        unapplied=unapplied(report) if report else "",
        why_skipped=lambda area: not_of_this_type(report, area) if report else "",
        plan_summary=summary(review.plan) if review else "",
        linked=sentences(review.linked) if review else [],
        meaning=sections(review) if review else [],
        origin=made_from(review.effects) if review else [],
        coverage=coverage,
        branches=tree(coverage) if coverage else (),
        problems=problems(coverage.accounts) if coverage else (),
        record=record,
        deliveries=_plot(record.deliveries, page.made_at) if record else None,
    )
    return redact(text).translate(_UNPRINTABLE)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(assets.TEMPLATES / "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _plot(deliveries: tuple[str, ...], last: datetime) -> _Plot | None:
    """Place each delivery: its day from left to right, its time of day (UTC) from top to bottom."""
    if not deliveries:
        return None
    times = [datetime.fromisoformat(at) for at in deliveries]
    first = min(times[0], last - _SHORTEST)
    span = (last - first) / timedelta(1)
    points = [((at - first) / timedelta(1) / span, (at.hour + at.minute / 60) / 24) for at in times]
    return _Plot(first, last, points)
