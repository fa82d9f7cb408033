"""octo-tf unregister: Octo forgets the account; AWS is not touched."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from orchestrator.cli.octo import need_octo
from orchestrator.cli.options import run_options
from orchestrator.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command()
@run_options
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def command(context: AccountContext, yes: bool) -> ExitCode:
    """Have Octo forget the account. Nothing in AWS is deleted, nor the Terraform state.

    Octo stops reading the account. octo-tf apply registers it again.
    """
    need_octo(context)
    account_id = context.registration.account_id
    if not yes and not sys.stdin.isatty():
        raise ConfigError(
            "nobody can be asked", where="unregister", hint="Say --yes to unregister."
        )
    click.echo(
        f"Octo will forget account {account_id} {context.registration.account_name or ''}".rstrip()
        + ": it stops reading it. Roles, bucket and report in AWS stay as they are.",
        err=True,
    )
    if not yes and click.prompt("The account id, to confirm", err=True) != account_id:
        click.echo("That is another account: nothing was done.", err=True)
        return ExitCode.REFUSED
    context.octo.unregister(account_id)
    click.echo(f"Octo has forgotten account {account_id}.", err=True)
    return ExitCode.DONE
