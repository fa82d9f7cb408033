"""octo-tf unregister: unregister the account from Octo; AWS is not touched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from orchestrator.cli import approval
from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.octo import need_octo
from orchestrator.cli.option import option
from orchestrator.cli.shared_options import OCTO, WORKDIR, setting_options

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.octo.departure import Departure


@click.command(cls=Command)
@run_options(setting_options("account_id"), OCTO, WORKDIR)
@option(
    "--with-linked",
    is_flag=True,
    help="Unregister the payer's linked accounts too.",
)
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Unregister without asking.")
def command(context: AccountContext, with_linked: bool, yes: bool) -> None:
    """Unregister the account from Octo; AWS is not touched.

    Octo stops reading the account; the roles, the bucket, the report and the Terraform state stay.
    That is remembered: octo-tf verify and octo-tf confirm do not
    register it again; octo-tf apply, octo-tf console finish and octo-tf confirm --register do.
    AWS credentials are not needed: the account's id is typed to confirm, or --yes is given.
    """
    from orchestrator.app.unregister import unregister
    from orchestrator.octo.departure import count

    need_octo(context)
    account_id = context.registration.account_id
    departure = unregister(context, with_linked=with_linked, consent=_consent(with_linked, yes))
    if not departure.is_known and not (with_linked and departure.linked):
        click.echo(f"Octo does not know account {account_id}: there was nothing to do.", err=True)
        return
    also = f" and {count(departure.linked)}" if with_linked and departure.linked else ""
    click.echo(f"Octo has forgotten account {account_id}{also}.", err=True)
    click.echo("Nothing in AWS was deleted: octo-tf destroy deletes it, or says how.", err=True)


def _consent(with_linked: bool, yes: bool) -> Callable[[Departure], None]:
    """Give the question before accounts are unregistered; it shows what leaves and what stays."""

    def ask(departure: Departure) -> None:
        linked = departure.linked if with_linked else {}
        if not departure.is_known and not linked:
            return  # nothing changes in Octo
        click.echo("\n".join(_explanation(departure, with_linked=with_linked)), err=True)
        approval.typed(
            "Type the account id to confirm",
            departure.account_id,
            given=departure.account_id if yes else None,
            instead="--yes",
        )

    return ask


def _explanation(departure: Departure, *, with_linked: bool) -> list[str]:
    from orchestrator.octo.departure import named

    account = f"account {departure.account_id} {departure.name}".rstrip()
    lines = [f"Octo will forget {account}, and stop reading it."]
    if departure.linked and with_linked:
        lines.append(f"With it, Octo will forget {named(departure.linked)}.")
    elif departure.linked:
        stays = "stays" if len(departure.linked) == 1 else "stay"
        lines.append(f"{named(departure.linked)} {stays} registered; see --with-linked.")
    lines.append("Nothing changes in AWS; octo-tf destroy also removes what is there.")
    return lines
