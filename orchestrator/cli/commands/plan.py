"""octo-tf plan: what apply would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import ALLOW_DESTROY, JSON, run_options
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.run import Run


@click.command()
@run_options
@ALLOW_DESTROY
@JSON
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan here.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
def command(run: Run, as_json: bool, out: Path | None, detailed_exitcode: bool) -> ExitCode:
    """Show what apply would change; the guard judges it too."""
    from orchestrator import pipeline
    from orchestrator.cli import plan_view

    with run.locked():
        made = pipeline.plan(run, out)
    if out is None:
        made.file.unlink(missing_ok=True)
    click.echo(plan_view.as_json(made) if as_json else plan_view.as_text(made))
    return ExitCode.CHANGES if detailed_exitcode and made.has_changes else ExitCode.DONE
