"""octo-tf discover: find the roles, reports, buckets and StackSets of Octo in an account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.context_loading import deferred_run_options, names_in_state
from orchestrator.cli.help import Command
from orchestrator.cli.results import use_color
from orchestrator.cli.shared_options import (
    ACCOUNT,
    EXTERNAL_ID,
    JSON,
    OCTO,
    STATE,
    setting_options,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@deferred_run_options(
    ACCOUNT,
    EXTERNAL_ID,
    setting_options("cur_s3_bucket_name", "cur_report_name", "stackset_name"),
    OCTO,
    STATE,
    JSON,
    with_flags=True,
)
@click.pass_context
def command(
    ctx: click.Context,
    load_context: Callable[..., AccountContext],
    flags: dict[str, Any],
    as_json: bool,
) -> None:
    """Find the roles, reports, buckets and StackSets of Octo in an account.

    Nothing is changed, and no octo.yaml is needed: --aws-profile or the ambient credentials say
    which account.
    """
    from orchestrator import report
    from orchestrator.adoption.candidate import read_account

    config: Path = ctx.params["config"]
    reader = names_in_state(ctx, load_context)
    text = report.render_discovery(
        read_account(config, flags, names_in_state=reader),
        "json" if as_json else "table",
        color=use_color(ctx.params["no_color"]),
    )
    click.echo(text)
