"""octo-tf confirm: confirm with Octo what an earlier run has verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.octo import need_octo
from orchestrator.cli.option import option
from orchestrator.cli.shared_options import JSON, OCTO, WORKDIR, setting_options
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.model.octo_records import Confirmation
    from orchestrator.octo.history import History


@click.command(cls=Command)
@run_options(setting_options("account_id", "region"), OCTO, WORKDIR, JSON)
@option(
    "--register",
    is_flag=True,
    help="Register the account if Octo does not know it, also if it was unregistered.",
)
def command(context: AccountContext, as_json: bool, register: bool) -> ExitCode:
    """Confirm with Octo what an earlier run has verified.

    AWS is not called, and nothing is verified again. Without --register, an account that Octo does
    not know stays unregistered.
    Exit code 3 means that Octo refuses an area, 4 that it has not confirmed one yet.
    """
    from orchestrator.app.confirm import confirm_remaining
    from orchestrator.octo import history
    from orchestrator.report.history import render_json

    need_octo(context)
    confirmation = confirm_remaining(context, may_register=register)
    known = history.read(context.octo, context.registration.account_id)
    if known is None:
        raise LookupError("confirm_remaining reads the record")
    click.echo(render_json(known) if as_json else _text(confirmation, known))
    return _exit_code(confirmation, known)


def _text(confirmation: Confirmation, known: History) -> str:
    from orchestrator.report.history import render_text

    hints = [
        f"→ {hint}"
        for hint in dict.fromkeys(answer.hint for answer in confirmation.answers.values())
        if hint
    ]
    return "\n".join([render_text(known), *hints])


def _exit_code(confirmation: Confirmation, known: History) -> ExitCode:
    states = {answer.state for answer in confirmation.answers.values()}
    if "refused" in states:
        return ExitCode.VERIFICATION_FAILED
    if states - {"confirmed", "left"} or known.linked_waiting:
        return ExitCode.VERIFICATION_PENDING
    return ExitCode.DONE
