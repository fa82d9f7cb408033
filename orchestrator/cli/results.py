"""How a command ends: its report on stdout, the files of --report, colors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.session import Session
from orchestrator.model.registration import to_register

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.app.review import Review
    from orchestrator.errors import ExitCode
    from orchestrator.report.page import Page
    from orchestrator.stackset.examination import Examination
    from orchestrator.verify.model import Report


def end(
    context: AccountContext,
    report: Report,
    reports: dict[str, Path],
    *,
    as_json: bool,
    review: Review | None = None,
    strict: bool = False,
) -> ExitCode:
    """End a command that verifies: write --report files and stdout, return the exit code.

    Raises:
        OctoTfError: a file cannot be written; stdout has the report, unless it is for the error.
    """
    from orchestrator.errors import OctoTfError
    from orchestrator.report import render_verification

    def show(name: str) -> None:
        click.echo(render_verification(report, name, color=Session.current().color))

    try:
        write_reports(context, reports, review=review, report=report)
    except OctoTfError:
        if not as_json:
            show("table")
        raise
    show("json" if as_json else "table")
    return report.strict_exit_code if strict else report.exit_code


def write_reports(
    context: AccountContext,
    reports: dict[str, Path],
    *,
    review: Review | None = None,
    report: Report | None = None,
    examination: Examination | None = None,
) -> None:
    """Write the files of --report: of the verification, else the preflight, else the plan.

    Raises:
        OctoTfError: a file could not be written; the other files are still written.
    """
    from orchestrator.errors import OctoTfError
    from orchestrator.report import render_run

    failed = None
    for name, file in reports.items():
        try:
            write_report(file, render_run(_page(context, review, report, examination), name))
        except OctoTfError as error:
            failed = failed or error
    if failed:
        raise failed


def _page(
    context: AccountContext,
    review: Review | None,
    report: Report | None,
    examination: Examination | None,
) -> Page:
    from datetime import datetime, timezone

    from orchestrator.cli.commands import verify
    from orchestrator.cli.replay import replay
    from orchestrator.report.page import Page

    ctx = click.get_current_context()
    name = ctx.command_path.partition(" ")[2]
    repeat = [("The command that wrote this page", replay(ctx, name, ctx.command))]
    if report is not None and not name.startswith(("console", "verify")):
        repeat.append(("Verify again; nothing changes", replay(ctx, "verify", verify.command)))
    if review is not None and review.replay and review.verdict.allowed:
        repeat.append(("Apply exactly this plan", review.replay))
    asked = to_register(context.registration.model_dump(mode="json", exclude_none=True))
    return Page(name, datetime.now(timezone.utc), asked, repeat, review, report, examination)


def write_report(file: Path, text: str) -> None:
    """Write a report that others may read: the file is world-readable and holds no secret.

    Raises:
        OctoTfError: it cannot be written.
    """
    from orchestrator.errors import OctoTfError
    from orchestrator.files import write_atomically

    try:
        write_atomically(file, (text + "\n").encode(), mode=0o644)
    except OSError as error:
        raise OctoTfError(
            f"the report cannot be written: {error.strerror}",
            where=str(file),
            hint="Name a file in a folder that can be written.",
        ) from error


def use_color(no_color: bool) -> bool:
    """Whether colors are wanted (https://no-color.org)."""
    return not no_color and not os.environ.get("NO_COLOR")
