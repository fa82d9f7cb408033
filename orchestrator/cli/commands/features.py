"""octo-tf features: show what the account can do in Octo, and what each feature needs in AWS."""

from __future__ import annotations

import click

from orchestrator.cli.help import Command
from orchestrator.errors import ExitCode


@click.command(cls=Command)
def command() -> ExitCode:
    """Show what the account can do in Octo, and what each feature needs in AWS.

    Choose features in octo.yaml (features), or with --feature. Nothing is read from AWS.
    """
    from orchestrator.report.features import render_text

    click.echo(render_text())
    return ExitCode.DONE
