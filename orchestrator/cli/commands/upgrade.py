"""octo-tf upgrade: a registered payer to StackSet, in place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import approval
from orchestrator.cli.option import option
from orchestrator.cli.options import (
    ALLOW_DESTROY,
    ENABLE_ACCESS,
    JSON,
    REPORT,
    WAIT,
    deferred_run_options,
    end,
)
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.app.context import Run
    from orchestrator.app.review import Review


@click.command()
@deferred_run_options
@ALLOW_DESTROY
@ENABLE_ACCESS
@WAIT
@REPORT
@JSON
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Apply without asking.")
@click.pass_context
def command(
    ctx: click.Context,
    load_run: Callable[..., Run],
    as_json: bool,
    yes: bool,
    reports: dict[str, Path],
) -> ExitCode:
    """Give Octo access to every linked account of a registered payer, in place.

    Sets use_stackset in octo.yaml, then plans, asks, applies and verifies as apply does, and
    compares what is there with what was there before: nothing is deleted or registered again.
    """
    from orchestrator import report
    from orchestrator.app.upgrade import upgrade
    from orchestrator.config.edit import switch

    config: Path = ctx.params["config"]
    run = load_run(use_stackset=True)

    def approve(review: Review) -> None:
        approval.ask(review, yes=yes)
        switch(config, "use_stackset", True)  # from here on it is meant: a killed run goes on

    with run.locked():
        review, result, kept = upgrade(run, approve=approve)
    switch(config, "use_stackset", True)
    if not review.has_changes:
        click.echo(report.render_plan(review, "text"), err=True)
    click.echo(f"Kept as it was: {', '.join(kept)}.", err=True)
    return end(run, result, reports, as_json=as_json)
