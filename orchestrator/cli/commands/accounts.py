"""octo-tf accounts: list the accounts that Octo knows, and the linked accounts that it does not."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from orchestrator.cli.groups import ACCOUNT, JSON, OCTO
from orchestrator.cli.help import Command
from orchestrator.cli.octo import need_octo
from orchestrator.cli.options import run_options
from orchestrator.errors import AwsError, ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.octo.accounts import Standing

SCHEMA = "octo-tf/accounts/v1"


@click.command(cls=Command)
@run_options(ACCOUNT, OCTO, JSON)
def command(context: AccountContext, as_json: bool) -> ExitCode:
    """List the accounts that Octo knows, and the linked accounts that it does not.

    Linked accounts are listed where the credentials may read the organization.
    """
    from orchestrator.octo.accounts import compare

    api = need_octo(context)
    with context.events.step("octo", "Asking Octo"):
        known = list(api.status_of_all())
    standings = compare(known, _members(context))
    if as_json:
        accounts = [asdict(standing) for standing in standings]
        click.echo(json.dumps({"schema": SCHEMA, "accounts": accounts}, indent=2))
        return ExitCode.DONE
    for standing in standings:
        click.echo(_line(standing))
    return ExitCode.DONE


def _members(context: AccountContext) -> dict[str, str] | None:
    from orchestrator.aws import organizations
    from orchestrator.aws.errors import explained

    try:
        with explained("reading the organization"):
            found = organizations.read(context.cloud.connect())
    except AwsError as error:
        context.events.warn(f"{error}. Only what Octo knows is listed.")
        return None
    return {member.account_id: member.name for member in found.members if member.active}


def _line(standing: Standing) -> str:
    detail = standing.reason or ", ".join(standing.areas)
    if standing.in_organization is False:
        detail = f"{detail} (not in this organization)".strip()
    kind = standing.account_type or "-"
    return f"{standing.account_id}  {standing.state:13}{kind:8}{standing.name:24}{detail}".rstrip()
