"""octo-tf status: show the history of an account: planned, applied, registered, confirmed, left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.shared_options import JSON, OCTO, WORKDIR, setting_options
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@run_options(setting_options("account_id"), OCTO, WORKDIR, JSON)
def command(context: AccountContext, as_json: bool) -> ExitCode:
    """Show the history of an account: planned, applied, registered, confirmed, left.

    It shows what was noted in the account's root folder, and what is still to be done. Neither
    AWS nor Octo is called: octo-tf verify and octo-tf accounts show what they have now.
    """
    from orchestrator.errors import LedgerError
    from orchestrator.octo import history
    from orchestrator.report.history import render_json, render_text

    account_id = context.registration.account_id
    known = history.read(context.octo, account_id, context.registration.external_id_rotation)
    if known is None:
        raise LedgerError(
            f"nothing was planned, applied or verified in {context.folder} yet",
            where=account_id,
            hint="Run octo-tf plan, or octo-tf apply.",
        )
    click.echo(render_json(known) if as_json else render_text(known))
    return ExitCode.DONE
