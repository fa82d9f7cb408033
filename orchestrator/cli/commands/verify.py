"""octo-tf verify: verify the registration: API access, CUR and S3, StackSet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.results import end
from orchestrator.cli.shared_options import STATE, STRICT, VERIFYING
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@run_options(VERIFYING, STRICT, STATE)
def command(
    context: AccountContext, as_json: bool, strict: bool, reports: dict[str, Path]
) -> ExitCode:
    """Verify the registration: API access, CUR and S3, StackSet."""
    from orchestrator.app.verify import verify

    return end(context, verify(context), reports, as_json=as_json, strict=strict)
