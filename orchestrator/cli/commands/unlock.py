"""octo-tf unlock: removes the state lock that a dead run left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli import approval
from orchestrator.cli.option import option
from orchestrator.cli.options import run_options
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command()
@run_options
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Unlock without asking.")
@click.argument("lock_id")
def command(context: AccountContext, lock_id: str, yes: bool) -> ExitCode:
    """Remove the state lock LOCK_ID, left by a run that died.

    An error that meets a lock shows its id, whose it is and since when. Unlock only what no
    living run holds.
    """
    from orchestrator.app import unlock

    unlock.unlock(
        context,
        lock_id,
        consent=lambda: approval.agree(
            f"Is its run dead, so that lock {lock_id} may be removed?", yes=yes
        ),
    )
    click.echo("Unlocked. Run octo-tf apply to go on.", err=True)
    return ExitCode.DONE
