"""octo-tf unlock: remove the state lock of a run that died."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli import approval
from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.option import option
from orchestrator.cli.shared_options import ACCOUNT, EXTERNAL_ID, OCTO, STATE, setting_options
from orchestrator.model.setting import Group

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@run_options(ACCOUNT, EXTERNAL_ID, OCTO, STATE, setting_options(Group.TERRAFORM))
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Unlock without asking.")
@click.argument("lock_id")
def command(context: AccountContext, lock_id: str, yes: bool) -> None:
    """Remove the state lock of a run that died.

    The error message about a lock shows its LOCK_ID, its owner and its age. Remove a lock only if
    its run has ended.
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
