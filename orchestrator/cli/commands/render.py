"""octo-tf render: write the Terraform root folder, or check that it is up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import run_options
from orchestrator.cli.help import Command
from orchestrator.cli.shared_options import OCTO, REGISTRATION, WORKDIR
from orchestrator.errors import ExitCode
from orchestrator.model.words import counted

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext


@click.command(cls=Command)
@run_options(REGISTRATION, OCTO, WORKDIR)
@click.option(
    "--check",
    is_flag=True,
    help="Write nothing; show a diff and exit with code 2 if the folder is outdated.",
)
def command(context: AccountContext, check: bool) -> ExitCode:
    """Write the Terraform root folder, or check that it is up to date."""
    from orchestrator.app.rendering import render_root
    from orchestrator.terraform import render

    if check:
        outdated = render.diff(render_root(context), context.folder)
        if not outdated:
            return ExitCode.DONE
        click.echo(outdated)
        click.echo(f"{context.folder} is out of date: run octo-tf render.", err=True)
        return ExitCode.CHANGES
    root = render_root(context)
    with context.locked():
        changed = render.write(root, context.folder)
    click.echo(str(context.folder))
    files = counted(len(changed), "file")
    click.echo(f"{files} written." if changed else "Already up to date.", err=True)
    return ExitCode.DONE
