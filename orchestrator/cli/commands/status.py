"""octo-tf status: show the history of an account: planned, applied, registered, confirmed, left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.shared_options import ACCOUNT, JSON, OCTO, WORKDIR
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@run_options(ACCOUNT, OCTO, WORKDIR, JSON)
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with code 2 if Octo calls the account's access outdated.",
)
def command(context: AccountContext, as_json: bool, detailed_exitcode: bool) -> ExitCode:
    """Show the history of an account: planned, applied, registered, confirmed, left.

    It shows what was noted in the account's root folder, and what is still to be done. With
    credentials for Octo, it asks Octo whether the access is outdated, that is, whether Octo's
    template has changed since the registration. If so, it compares the permissions of the new
    template with the account's roles. Nothing is changed. With --no-octo, Octo is not asked.
    octo-tf verify and octo-tf accounts show what AWS and Octo have now.
    """
    from orchestrator.app import outdated
    from orchestrator.errors import LedgerError
    from orchestrator.octo import history
    from orchestrator.report.history import render_json, render_text

    account_id = context.registration.account_id
    rotation = context.registration.external_id_rotation
    is_noted = context.octo.ledger.account(account_id) is not None
    found = outdated.find(context) if is_noted else None
    known = history.read(context.octo, account_id, rotation, outdated=found)
    if known is None:
        raise LedgerError(
            f"nothing was planned, applied or verified in {context.folder} yet",
            where=account_id,
            hint="Run octo-tf plan, or octo-tf apply.",
        )
    click.echo(render_json(known) if as_json else render_text(known))
    return ExitCode.CHANGES if detailed_exitcode and known.outdated else ExitCode.DONE
