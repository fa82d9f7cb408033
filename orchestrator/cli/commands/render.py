"""octo-tf render: the root folder, or whether it is up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import run_options
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.app.context import Run


@click.command()
@run_options
@click.option("--check", is_flag=True, help="Write nothing; show a diff and exit 2 if outdated.")
def command(run: Run, check: bool) -> ExitCode:
    """Write the Terraform root folder from octo.yaml."""
    from orchestrator.terraform import render

    root = run.rendered()
    if check:
        outdated = render.diff(root, run.folder)
        if not outdated:
            return ExitCode.DONE
        click.echo(outdated)
        click.echo(f"{run.folder} is out of date: run octo-tf render.", err=True)
        return ExitCode.CHANGES
    with run.locked():
        changed = render.write(root, run.folder)
    click.echo(str(run.folder))
    click.echo(f"{len(changed)} files written." if changed else "Already up to date.", err=True)
    return ExitCode.DONE
