"""octo-tf plan: show what apply would change, and whether the guard allows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.option import FILE
from orchestrator.cli.reading import show
from orchestrator.cli.results import write_report, write_reports
from orchestrator.cli.shared_options import (
    ALLOW_DESTROY,
    ENABLE_ACCESS,
    JSON,
    OCTO,
    PLAN_REPORT,
    REGISTRATION,
    TERRAFORM,
)
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@run_options(REGISTRATION, ENABLE_ACCESS, OCTO, TERRAFORM, ALLOW_DESTROY, PLAN_REPORT, JSON)
@click.option("--out", type=FILE, help="Save the plan to this file.")
@click.option(
    "--summary",
    type=FILE,
    help="Write what --json prints to this file too; no values are in it.",
)
@click.option(
    "--markdown",
    type=FILE,
    help="Write a comment for a pull request to this file; no values are in it.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with code 2 if there are changes.")
@click.pass_context
def command(
    ctx: click.Context,
    context: AccountContext,
    as_json: bool,
    reports: dict[str, Path],
    out: Path | None,
    summary: Path | None,
    markdown: Path | None,
    detailed_exitcode: bool,
) -> ExitCode:
    """Show what apply would change, and whether the guard allows it."""
    from dataclasses import replace

    from orchestrator import report
    from orchestrator.app.plan import plan
    from orchestrator.cli.commands import apply
    from orchestrator.cli.replay import replay

    review = plan(context, out)
    if out is None:
        review.plan.file.unlink(missing_ok=True)
    else:
        review = replace(review, replay=replay(ctx, "apply", apply.command, "--plan", str(out)))
    for file, name in ((summary, "json"), (markdown, "markdown")):
        if file is not None:
            write_report(file, report.render_plan(review, name))
    write_reports(context, reports, review=review)
    show(report.render_plan(review, "json" if as_json else "text"))
    review.verdict.enforce()
    return ExitCode.CHANGES if detailed_exitcode and review.has_changes else ExitCode.DONE
