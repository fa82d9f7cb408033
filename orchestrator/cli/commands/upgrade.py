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

    from orchestrator.app.context import AccountContext


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
    load_context: Callable[..., AccountContext],
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
    from orchestrator.config import edit
    from orchestrator.model.outside_action import CONFIGURE, OutsideAction

    config: Path = ctx.params["config"]
    context = load_context(use_stackset=True)
    line = OutsideAction(CONFIGURE, str(config), f"Set use_stackset: true in {config}.")
    upgraded = upgrade(
        context,
        consent=approval.consent(yes=yes),
        configure=lambda: edit.switch(config, "use_stackset", True),
        configuring=(line,) if edit.would_switch(config, "use_stackset", True) else (),
    )
    if not upgraded.review.has_changes:
        click.echo(report.render_plan(upgraded.review, "text"), err=True)
    click.echo(f"Kept as it was: {', '.join(upgraded.kept)}.", err=True)
    return end(upgraded.report, reports, as_json=as_json)
