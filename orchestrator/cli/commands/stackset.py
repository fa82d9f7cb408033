"""octo-tf stackset: the linked accounts of a payer, one by one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from orchestrator.cli import approval
from orchestrator.cli.option import option
from orchestrator.cli.options import JSON, run_options
from orchestrator.cli.session import Session
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.model.coverage import Coverage
    from orchestrator.stackset.deployments import PendingDeployments


@click.group()
def command() -> None:
    """See and mend the StackSet's linked accounts one by one."""


@command.command()
@run_options
@click.option("--all", "everyone", is_flag=True, help="Accounts that have the role too.")
@JSON
def status(context: AccountContext, everyone: bool, as_json: bool) -> ExitCode:
    """Show where each linked account stands, and why."""
    from orchestrator.app import linked_accounts

    coverage = linked_accounts.status(context).coverage
    return _shown(coverage, everyone=everyone, as_json=as_json)


@command.command()
@run_options
@click.option("--account", "accounts", metavar="ID", multiple=True, help="This one; repeat.")
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Deploy without asking.")
@JSON
def retry(context: AccountContext, accounts: tuple[str, ...], yes: bool, as_json: bool) -> ExitCode:
    """Deploy again to accounts that failed.

    The stack of an account that is named is deleted and created again, whatever its state: so what
    was changed by hand in the account is as it should be.
    """
    from orchestrator.app import linked_accounts
    from orchestrator.report.plan.text_format import sentences

    def consent(pending: PendingDeployments) -> None:
        for sentence in sentences(pending):
            click.echo(f"Linked accounts: {sentence}.", err=True)
        approval.agree("Do this?", yes=yes)

    coverage = linked_accounts.retry(context, accounts, consent=consent)
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
