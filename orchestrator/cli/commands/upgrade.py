"""octo-tf upgrade: give Octo access to every linked account of a registered payer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import approval
from orchestrator.cli.context_loading import deferred_run_options
from orchestrator.cli.help import Command
from orchestrator.cli.option import option
from orchestrator.cli.reading import show
from orchestrator.cli.results import end
from orchestrator.cli.shared_options import ALLOW_DESTROY, ENABLE_ACCESS, TERRAFORM, VERIFYING
from orchestrator.errors import Excludable, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@deferred_run_options(VERIFYING, ENABLE_ACCESS, TERRAFORM, ALLOW_DESTROY, with_flags=True)
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Apply without asking.")
@click.pass_context
def command(
    ctx: click.Context,
    load_context: Callable[..., AccountContext],
    flags: dict[str, Any],
    as_json: bool,
    yes: bool,
    reports: dict[str, Path],
) -> ExitCode:
    """Give Octo access to every linked account of a registered payer.

    Sets use_stackset in octo.yaml, and what other options say to register; then plans, asks,
    applies and verifies as apply does. Offers to exclude accounts that have Octo's role
    already, or that the organization's policies cut off.
    Compares the existing resources before and after: none is deleted or registered again.
    """
    from orchestrator import report
    from orchestrator.app import configuring
    from orchestrator.app.upgrade import Upgraded, upgrade
    from orchestrator.model.registration import to_register

    config: Path = ctx.params["config"]
    given = to_register(flags) if config.exists() else flags

    def run(**own: Any) -> tuple[AccountContext, Upgraded]:
        settings = {**given, **own}
        context = load_context(**own)
        return context, upgrade(
            context,
            consent=approval.consent(yes=yes, instead="--yes"),
            configure=lambda: configuring.write(config, settings),
            configuring=configuring.announce(config, settings),
        )

    own: dict[str, Any] = {"use_stackset": True}
    while True:
        try:
            context, upgraded = run(**own)
            break
        except Excludable as refusal:
            if yes or not _agrees_to_exclude(refusal):
                raise
            own["stackset_excluded_accounts"] = [*refusal.excluded]
    if not upgraded.review.has_changes:
        show(report.render_plan(upgraded.review, "text"), err=True)
    click.echo(f"Kept as it was: {', '.join(upgraded.kept)}.", err=True)
    return end(context, upgraded.report, reports, as_json=as_json, review=upgraded.review)


def _agrees_to_exclude(refusal: Excludable) -> bool:
    click.echo(str(refusal), err=True)
    these = "this account" if refusal.count == 1 else f"these {refusal.count} accounts"
    return approval.offers(f"Exclude {these} from the StackSet, and go on with the others?")
