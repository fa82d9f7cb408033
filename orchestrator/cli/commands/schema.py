"""octo-tf schema: print the JSON Schema of octo.yaml, for editors."""

from __future__ import annotations

import json

import click

from orchestrator.cli.help import Command


@click.command(cls=Command)
def command() -> None:
    """Print the JSON Schema of octo.yaml, for editors.

    Editors complete and check octo.yaml with it: save it beside octo.yaml and begin the file with
    `# yaml-language-server: $schema=octo.schema.json`.
    """
    from orchestrator.config.schema import schema

    click.echo(json.dumps(schema(), indent=2))
