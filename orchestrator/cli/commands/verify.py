"""octo-tf verify: what AWS has, area by area."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import JSON, REPORT, WAIT, end, run_options
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command()
@run_options
@WAIT
@REPORT
@JSON
def command(context: AccountContext, as_json: bool, reports: dict[str, Path]) -> ExitCode:
    """Prove the registration: API access, CUR and S3, StackSet."""
    from orchestrator.app.verify import verify

    return end(verify(context), reports, as_json=as_json)
