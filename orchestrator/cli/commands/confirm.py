"""octo-tf confirm: confirm with Octo what an earlier run has verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.groups import JSON, OCTO, WORKDIR, setting_options
from orchestrator.cli.help import Command
from orchestrator.cli.octo import need_octo
from orchestrator.cli.option import option
from orchestrator.cli.options import run_options
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.model.octo_records import AccountRecord


@click.command(cls=Command)
@run_options(setting_options("account_id", "region"), OCTO, WORKDIR, JSON)
@option("--register", is_flag=True, help="Register the account if Octo does not know it.")
def command(context: AccountContext, as_json: bool, register: bool) -> ExitCode:
    """Confirm with Octo what an earlier run has verified.

    AWS is not called, and nothing is verified again.
    Exit code 3 means that Octo refuses an area, 4 that it has not confirmed one yet.
    """
    from orchestrator.app.confirm import confirm_remaining

    need_octo(context)
    record = confirm_remaining(context, may_register=register)
    if as_json:
        click.echo(record.model_dump_json(indent=2))
    else:
        _show(record)
    return _exit_code(record, context.octo.linked.left(record.account_id))


def _show(record: AccountRecord) -> None:
    click.echo(f"Account     {record.account_id} {record.account_name} ({record.account_type})")
    for area, answer in record.octo.items():
        why = f": {answer.reason}" if answer.reason else ""
        click.echo(f"  {area:11} {answer.state.replace('_', ' ')}{why}")
        if answer.hint and answer.state != "confirmed":
            click.echo(f"  {'':11} → {answer.hint}")
    click.echo(f"Finished    {record.finished_at or 'not yet'}")


def _exit_code(record: AccountRecord, linked_left: list[str]) -> ExitCode:
    states = {record.octo[area].state for area in record.unconfirmed if area in record.octo}
    if "refused" in states:
        return ExitCode.VERIFICATION_FAILED
    return ExitCode.VERIFICATION_PENDING if record.unconfirmed or linked_left else ExitCode.DONE
