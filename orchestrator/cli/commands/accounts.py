"""octo-tf accounts: list the accounts that Octo knows, and the linked accounts that it does not."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.octo import need_octo
from orchestrator.cli.shared_options import ACCOUNT, JSON, OCTO
from orchestrator.errors import AwsError
from orchestrator.model.octo_records import LABELS

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.octo.accounts import ListedAccount

SCHEMA = "octo-tf/accounts/v2"


@click.command(cls=Command)
@run_options(ACCOUNT, OCTO, JSON)
def command(context: AccountContext, as_json: bool) -> None:
    """List the accounts that Octo knows, and the linked accounts that it does not.

    registered: Octo has access. not confirmed: registered, but Octo has not confirmed API access.
    broken: Octo reports an error. unregistered: only the organization has the account; these are
    listed where the credentials may read the organization. Nothing is changed.
    """
    from orchestrator.octo.accounts import compare

    api = need_octo(context)
    with context.events.step("octo", "Asking Octo"):
        known = list(api.status_of_all())
    listed = compare(known, _members(context))
    if as_json:
        accounts = [asdict(account) for account in listed]
        click.echo(json.dumps({"schema": SCHEMA, "accounts": accounts}, indent=2))
        return
    for account in listed:
        click.echo(_line(account))


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


def _line(account: ListedAccount) -> str:
    detail = account.reason or ", ".join(LABELS[area] for area in LABELS if area in account.areas)
    if account.in_organization is False:
        detail = f"{detail} (not in this organization)".strip()
    kind, state = account.account_type or "-", account.state.replace("_", " ")
    return f"{account.account_id}  {state:14}{kind:8}{account.name:24}{detail}".rstrip()
