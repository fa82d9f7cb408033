"""octo-tf unlock: removes the state lock that a dead run left behind."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from orchestrator.cli.option import option
from orchestrator.cli.options import run_options
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.run import Run


@click.command()
@run_options
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Unlock without asking.")
@click.argument("lock_id")
def command(run: Run, lock_id: str, yes: bool) -> ExitCode:
    """Remove the state lock LOCK_ID, left by a run that died.

    An error that meets a lock shows its id, whose it is and since when. Unlock only what no
    living run holds.
    """
    from orchestrator import pipeline

    with run.locked():
        pipeline.prepare(run)
        if not yes:
            if not sys.stdin.isatty():
                raise click.UsageError("nobody is here to confirm: give --yes")
            click.confirm(f"Remove lock {lock_id}? Its run must be dead.", abort=True, err=True)
        run.terraform.force_unlock(lock_id)
    click.echo("Unlocked. Run octo-tf apply to go on.", err=True)
    return ExitCode.DONE
