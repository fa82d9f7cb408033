"""octo-tf stackset: the linked accounts of a payer, one by one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import JSON, run_options
from orchestrator.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import Run
    from orchestrator.model.coverage import Coverage


@click.group()
def command() -> None:
    """See and mend the StackSet's linked accounts one by one."""


@command.command()
@run_options
@click.option("--all", "everyone", is_flag=True, help="Accounts that have the role too.")
@JSON
def status(run: Run, everyone: bool, as_json: bool) -> ExitCode:
    """Show where each linked account stands, and why."""
    _linked(run)
    coverage, _found = run.linked.look()
    return _shown(run, coverage, everyone=everyone, as_json=as_json)


@command.command()
@run_options
@click.option("--account", "accounts", metavar="ID", multiple=True, help="This one; repeat.")
@JSON
def retry(run: Run, accounts: tuple[str, ...], as_json: bool) -> ExitCode:
    """Deploy again to accounts that failed.

    The stack of an account that is named is deleted and made again, whatever its state: so what
    was changed by hand in the account is as it should be.
    """
    with run.locked():
        _linked(run)
        run.linked.wait()
        coverage = run.linked.again(accounts)
    return _shown(run, coverage, everyone=False, as_json=as_json)


def _linked(run: Run) -> None:
    """The account is the one that was meant, and has a StackSet."""
    from orchestrator.stackset.preflight import check_type

    if not run.registration.use_stackset:
        raise ConfigError(
            "is not set: there is no StackSet",
            where="use_stackset",
            hint="Run octo-tf upgrade: it registers every linked account.",
        )
    check_type(run.account)


def _shown(run: Run, coverage: Coverage, *, everyone: bool, as_json: bool) -> ExitCode:
    from orchestrator.model.coverage import WANTING, State
    from orchestrator.report.coverage import as_table

    if as_json:
        accounts = {
            s.account_id: {"name": s.name, "state": s.state.value, "reason": s.reason}
            for s in coverage.accounts
        }
        click.echo(json.dumps({"counts": coverage.counts, "accounts": accounts}, indent=2))
    else:
        click.echo(as_table(coverage, everyone=everyone, color=run.progress.color))
    if coverage.of(*WANTING, State.EXCESS):
        return ExitCode.VERIFICATION_FAILED
    running = coverage.of(State.RUNNING)
    return ExitCode.VERIFICATION_PENDING if running else ExitCode.DONE
