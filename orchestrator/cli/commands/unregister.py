"""octo-tf unregister: unregister the account from Octo; AWS is not touched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from orchestrator.cli.groups import OCTO, WORKDIR, setting_options
from orchestrator.cli.help import Command
from orchestrator.cli.octo import need_octo
from orchestrator.cli.option import option
from orchestrator.cli.options import run_options
from orchestrator.errors import ExitCode, OctoTfError

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.octo.departure import Departure

_SHOWN = 20  # linked accounts that are named; the rest is counted


@click.command(cls=Command)
@run_options(setting_options("account_id"), OCTO, WORKDIR)
@option(
    "--with-linked",
    is_flag=True,
    help="Unregister the payer's linked accounts too.",
)
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Unregister without asking.")
def command(context: AccountContext, with_linked: bool, yes: bool) -> ExitCode:
    """Unregister the account from Octo; AWS is not touched.

    Octo stops reading the account; the roles, the bucket, the report and the Terraform state stay.
    That is remembered: octo-tf verify and octo-tf confirm do not
    register it again; octo-tf apply, octo-tf console finish and octo-tf confirm --register do.
    AWS credentials are not needed: the account's id is typed to confirm, or --yes is given.
    """
    from orchestrator.app.unregister import unregister

    need_octo(context)
    account_id = context.registration.account_id
    departure = unregister(context, with_linked=with_linked, consent=_consent(with_linked, yes))
    if not departure.is_known and not (with_linked and departure.linked):
        click.echo(f"Octo does not know account {account_id}: there was nothing to do.", err=True)
        return ExitCode.DONE
    also = f" and {_count(departure.linked)}" if with_linked and departure.linked else ""
    click.echo(f"Octo has forgotten account {account_id}{also}.", err=True)
    click.echo("\n".join(_what_stays(context, departure)), err=True)
    return ExitCode.DONE


def _consent(with_linked: bool, yes: bool) -> Callable[[Departure], None]:
    """Give the question before accounts are unregistered; it shows what leaves and what stays."""

    def ask(departure: Departure) -> None:
        linked = departure.linked if with_linked else {}
        if not departure.is_known and not linked:
            return  # nothing changes in Octo
        click.echo("\n".join(_explanation(departure, with_linked=with_linked)), err=True)
        if yes:
            return
        if not sys.stdin.isatty():
            raise click.UsageError("nobody is here to type the account id: give --yes")
        typed = click.prompt("The account id, to confirm", err=True)
        if typed.strip() != departure.account_id:
            raise OctoTfError(
                f"{typed!r} is not the account's id: nothing was unregistered",
                where=departure.account_id,
                hint="Run the same command again and type the account id, or give --yes.",
            )

    return ask


def _explanation(departure: Departure, *, with_linked: bool) -> list[str]:
    account = f"account {departure.account_id} {departure.name}".rstrip()
    lines = [f"Octo will forget {account}, and stop reading it."]
    if departure.linked and with_linked:
        lines.append(f"With it, Octo will forget {_named(departure.linked)}.")
    elif departure.linked:
        stays = "stays" if len(departure.linked) == 1 else "stay"
        lines.append(f"{_named(departure.linked)} {stays} registered; see --with-linked.")
    lines.append("Nothing changes in AWS; how to remove the resources is shown afterwards.")
    return lines


def _what_stays(context: AccountContext, departure: Departure) -> list[str]:
    """Say what is still in AWS, and how it is removed."""
    from orchestrator.terraform import removal

    if departure.record is not None and departure.record.method == "console":
        return [
            "In AWS everything stays. To remove it, delete the stacks in CloudFormation that the"
            " links of octo-tf console made; bucket and report stay even then (their templates"
            " retain them), and are deleted by hand.",
        ]
    return [
        "In AWS everything stays. octo-tf has no command yet that removes it; Terraform does, with"
        " the account's credentials:",
        *removal.instructions(
            context.registration,
            departure.account_type,
            context.folder,
            program=context.settings.tf_path or "terraform",
        ),
    ]


def _named(linked: Mapping[str, str]) -> str:
    names = [f"{account_id} {name}".rstrip() for account_id, name in linked.items()]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{_count(linked)} ({', '.join(names[:_SHOWN])}{more})"


def _count(linked: Mapping[str, str]) -> str:
    return "1 linked account" if len(linked) == 1 else f"{len(linked)} linked accounts"
