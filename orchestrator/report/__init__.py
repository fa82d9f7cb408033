"""Render plans, verifications and discoveries; each format is one file, found by its place.

``discovery/`` shows a :class:`~orchestrator.adoption.discovery.Discovery`, ``page/`` a
:class:`~orchestrator.report.page.Page` (everything of one run), ``plan/`` a
:class:`~orchestrator.app.review.Review`, ``preflight/`` an
:class:`~orchestrator.stackset.examination.Examination`, ``verification/`` a
:class:`~orchestrator.verify.model.Report`. Each ``<name>_format.py`` has a ``render``;
the name of any other format is a KeyError.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from orchestrator.adoption.discovery import Discovery
    from orchestrator.app.review import Review
    from orchestrator.report.page import Page
    from orchestrator.stackset.examination import Examination
    from orchestrator.verify.model import Report

Subject = Literal["discovery", "page", "plan", "preflight", "verification"]


def formats(subject: Subject) -> list[str]:
    """List the report formats of a subject."""
    folder = Path(__file__).parent / subject
    return sorted(m.name.removesuffix("_format") for m in pkgutil.iter_modules([str(folder)]))


def formats_of_run(subject: Literal["plan", "preflight", "verification"]) -> list[str]:
    """List the formats of ``--report``: the subject's, and those that show the whole run."""
    return sorted({*formats(subject), *formats("page")})


def render_discovery(discovery: Discovery, name: str, *, color: bool = False) -> str:
    """Render what exists in an account in one format."""
    return _render("discovery", name, discovery, color)


def render_run(page: Page, name: str) -> str:
    """Render a run: as a page, or its verification, preflight or plan alone."""
    if name in formats("page"):
        return _render("page", name, page, False)
    if page.report is not None:
        return render_verification(page.report, name)
    if page.examination is not None:
        return render_preflight(page.examination, name)
    return _render("plan", name, page.review, False)


def render_plan(review: Review, name: str, *, color: bool = False) -> str:
    """Render a plan under review in one format."""
    return _render("plan", name, review, color)


def render_preflight(examination: Examination, name: str) -> str:
    """Render what a preflight found in one format."""
    return _render("preflight", name, examination, False)


def render_verification(report: Report, name: str, *, color: bool = False) -> str:
    """Render a verification in one format; ``color`` matters to formats for a terminal only."""
    return _render("verification", name, report, color)


def _render(subject: Subject, name: str, document: object, color: bool) -> str:
    if name not in formats(subject):
        raise KeyError(name)
    module = importlib.import_module(f"{__name__}.{subject}.{name}_format")
    text: str = module.render(document, color=color)
    return text
