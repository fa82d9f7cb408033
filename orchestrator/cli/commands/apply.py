"""octo-tf apply: register the account: plan, check, apply, verify, confirm with Octo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli import approval
from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.option import EXISTING_FILE, option
from orchestrator.cli.reading import show
from orchestrator.cli.results import end
from orchestrator.cli.shared_options import (
    ALLOW_DESTROY,
    ENABLE_ACCESS,
    STRICT,
    TERRAFORM,
    VERIFYING,
)
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@run_options(VERIFYING, STRICT, ENABLE_ACCESS, TERRAFORM, ALLOW_DESTROY)
@option("--yes", "-y", "--auto-approve", is_flag=True, help="Apply without asking.")
@click.option(
    "--plan",
    "plan_file",
    type=EXISTING_FILE,
    help="Apply the plan in this file, saved by octo-tf plan --out.",
)
@click.pass_context
def command(
    ctx: click.Context,
    context: AccountContext,
    as_json: bool,
    strict: bool,
    yes: bool,
    plan_file: Path | None,
    reports: dict[str, Path],
) -> ExitCode:
    """Register the account: plan, check, apply, verify, confirm with Octo."""
    from orchestrator import report
    from orchestrator.app.apply import apply
    from orchestrator.app.confirm import may_need_weaker_trust
    from orchestrator.app.weaker_trust import apply_weaker_trust

    consent = approval.consent(yes=yes or plan_file is not None)
    applied = apply(context, consent=consent, saved_plan=plan_file)
    config: Path = ctx.params["config"]
    if may_need_weaker_trust(context, applied.report) and config.exists():
        click.echo(
            "Octo reaches the account, but not its report. Perhaps it sends no external id for the"
            " CUR role: its own templates require none there.",
            err=True,
        )
        if approval.offers("Plan a weaker trust for this role (cur_role_trust: principal_only)?"):
            # --yes was for the first plan
            applied = apply_weaker_trust(
                context,
                config,
                consent=approval.consent(yes=False),
            )
    if not applied.review.has_changes:
        show(report.render_plan(applied.review, "text"), err=True)
    return end(
        context,
        applied.report,
        reports,
        as_json=as_json,
        review=applied.review,
        strict=strict,
    )
