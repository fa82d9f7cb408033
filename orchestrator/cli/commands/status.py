"""octo-tf status: show what was last verified and confirmed, without calling AWS or Octo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.groups import JSON, WORKDIR, setting_options
from orchestrator.cli.help import Command
from orchestrator.cli.options import run_options
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.model.octo_records import AccountRecord


@click.command(cls=Command)
@run_options(setting_options("account_id"), WORKDIR, JSON)
def command(context: AccountContext, as_json: bool) -> ExitCode:
    """Show what was last verified and confirmed, without calling AWS or Octo."""
    from orchestrator.errors import LedgerError

    record = context.octo.record(context.registration.account_id)
    if record is None:
        raise LedgerError(
            "is not registered yet",
            where=context.registration.account_id,
            hint="Run octo-tf apply.",
        )
    if as_json:
        click.echo(record.model_dump_json(indent=2))
        return ExitCode.DONE
    click.echo(f"Account     {record.account_id} {record.account_name} ({record.account_type})")
    click.echo(f"Registered  {record.registered_at}")
    click.echo(f"Verified    {record.verified_at or 'not yet'}")
    for area, status in record.statuses.items():
        confirmed = record.confirmed.get(area)
        click.echo(f"  {area:11} {status}" + (f", confirmed {confirmed}" if confirmed else ""))
    click.echo(f"Octo        {_octo(record)}")
    for area, answer in record.octo.items():
        why = f": {answer.reason}" if answer.reason else ""
        click.echo(f"  {area:11} {answer.state.replace('_', ' ')} {answer.at}{why}")
    click.echo(f"Finished    {record.finished_at or 'not yet'}")
    return ExitCode.DONE


def _octo(record: AccountRecord) -> str:
    if record.octo_registered_at:
        return f"registered {record.octo_registered_at}"
    return "not told by octo-tf"
