"""octo-tf permissions: compare what policies, modules and roles allow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.context_loading import deferred_run_options
from orchestrator.cli.help import CommandGroup
from orchestrator.cli.shared_options import ACCOUNT, JSON
from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.app.context import AccountContext
    from orchestrator.model.registration import Registration


@click.group(cls=CommandGroup)
def command() -> None:
    """Compare what policies, modules and roles allow."""


@command.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@deferred_run_options(ACCOUNT, JSON)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with code 2 if they differ.")
def diff(
    load_context: Callable[..., AccountContext],
    first: str,
    second: str,
    as_json: bool,
    detailed_exitcode: bool,
) -> ExitCode:
    """Show what B allows that A does not, and the other way round.

    A and B are files with a policy in JSON, folders of two versions of the module, an octo.yaml
    (what it asks for), or a role's name or ARN (as it is in the account). Of a module's folder,
    every feature and execution action counts.
    """
    from orchestrator.app import permissions
    from orchestrator.config.load import load
    from orchestrator.report.meaning import of_roles
    from orchestrator.report.plan.json_format import render_roles

    def read(path: Path) -> Registration:
        return load(path, {}, os.environ, octo_has_external_id=True)

    changes = permissions.compare(first, second, load=read, connect=load_context)
    if as_json:
        click.echo(render_roles(changes))
    elif not changes:
        click.echo("No difference.")
    else:
        for section in of_roles(changes):
            click.echo("\n  ".join([f"{section.title}:", *section.sentences]))
    return ExitCode.CHANGES if detailed_exitcode and changes else ExitCode.DONE
