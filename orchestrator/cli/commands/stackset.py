"""octo-tf stackset: inspect and repair the linked accounts of a payer one by one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from orchestrator.cli import approval
from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import CommandGroup
from orchestrator.cli.option import option
from orchestrator.cli.session import Session
from orchestrator.cli.shared_options import ACCOUNT, JSON, OCTO, WORKDIR, setting_options
from orchestrator.errors import ExitCode
from orchestrator.model.setting import Group

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.model.coverage import Coverage
    from orchestrator.stackset.deployments import PendingDeployments


_LINKED_ACCOUNTS = setting_options(Group.LINKED_ACCOUNTS)


@click.group(cls=CommandGroup)
def command() -> None:
    """Inspect and repair the linked accounts of a payer one by one."""


@command.command()
@run_options(ACCOUNT, _LINKED_ACCOUNTS, JSON)
@click.option("--all", "everyone", is_flag=True, help="Show accounts that have the role too.")
def status(context: AccountContext, everyone: bool, as_json: bool) -> ExitCode:
    """Show the state of each linked account, and the reason."""
    from orchestrator.app import linked_accounts

    coverage = linked_accounts.status(context).coverage
    return _shown(coverage, everyone=everyone, as_json=as_json)


@command.command()
@run_options(ACCOUNT, _LINKED_ACCOUNTS, OCTO, WORKDIR, JSON)
@click.argument("accounts", metavar="[ACCOUNT]...", nargs=-1)
@click.option(
    "--account",
    "recreate",
    metavar="ID",
    multiple=True,
    help="Delete and create the stack of this account, whatever its state. Repeat for several.",
)
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Deploy without asking.")
def retry(
    context: AccountContext,
    accounts: tuple[str, ...],
    recreate: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> ExitCode:
    """Retry the deployment to accounts that failed, or to those that are named.

    With ACCOUNT, only these are repaired; one that is closed, or in no target any more, is
    removed from the StackSet. With --account, the stack of that account is deleted and created
    again, which also undoes what was changed in it by hand.
    """
    from orchestrator.app import linked_accounts
    from orchestrator.report.plan.text_format import sentences

    def consent(pending: PendingDeployments) -> None:
        for sentence in sentences(pending):
            click.echo(f"Linked accounts: {sentence}.", err=True)
        approval.agree("Do this?", yes=yes)

    coverage = linked_accounts.retry(context, accounts, recreate=recreate, consent=consent)
    return _shown(coverage, everyone=False, as_json=as_json)


def _shown(coverage: Coverage, *, everyone: bool, as_json: bool) -> ExitCode:
    from orchestrator.model.coverage import WANTING, State
    from orchestrator.report.coverage import as_table

    if as_json:
        accounts = {
            s.account_id: {"name": s.name, "state": s.state.value, "reason": s.reason}
            for s in coverage.accounts
        }
        click.echo(json.dumps({"counts": coverage.counts, "accounts": accounts}, indent=2))
    else:
        click.echo(as_table(coverage, everyone=everyone, color=Session.current().color))
    if coverage.of(*WANTING, State.EXCESS):
        return ExitCode.VERIFICATION_FAILED
    running = coverage.of(State.RUNNING)
    return ExitCode.VERIFICATION_PENDING if running else ExitCode.DONE
