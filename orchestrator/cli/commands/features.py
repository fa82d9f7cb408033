"""octo-tf features: show what the account can do in Octo, and what each feature needs in AWS."""

from __future__ import annotations

import json

import click

from orchestrator.cli.help import Command
from orchestrator.cli.reading import show
from orchestrator.cli.shared_options import JSON


@click.command(cls=Command)
@JSON
def command(as_json: bool) -> None:
    """Show what the account can do in Octo, and what each feature needs in AWS.

    Choose features in octo.yaml (features), or with --feature. Nothing is read from AWS.
    """
    from orchestrator.report.features import render_json, render_text

    show(json.dumps(render_json(), indent=2) if as_json else render_text())
