"""octo-tf unregister: unregister the account from Octo; AWS is not touched."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from orchestrator.cli.groups import OCTO, WORKDIR, setting_options
from orchestrator.cli.help import Command
from orchestrator.cli.octo import need_octo
from orchestrator.cli.options import run_options
from orchestrator.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@run_options(setting_options("account_id"), OCTO, WORKDIR)
@click.option("--yes", "-y", is_flag=True, help="Unregister without asking.")
def command(context: AccountContext, yes: bool) -> ExitCode:
    """Unregister the account from Octo; AWS is not touched.

    Octo stops reading the account. The roles, the bucket, the report and the Terraform state
    stay; octo-tf apply registers the account again.
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
