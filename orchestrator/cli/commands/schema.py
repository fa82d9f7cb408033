"""octo-tf schema: what octo.yaml may say, for editors."""

from __future__ import annotations

import json

import click

from orchestrator.cli.registration import registration_help
from orchestrator.errors import ExitCode


@click.command()
def command() -> ExitCode:
    """Print a JSON Schema of octo.yaml.

    Editors complete and check by it: save it beside octo.yaml and begin the file with
    `# yaml-language-server: $schema=octo.schema.json`.
    """
    from orchestrator.config.schema import schema

    click.echo(json.dumps(schema(registration_help()), indent=2))
    return ExitCode.DONE
