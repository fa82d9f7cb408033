"""octo-tf sandbox: an AWS on this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from orchestrator.cli.options import option
from orchestrator.errors import ConfigError, ExitCode, OctoTfError


@click.group()
def command() -> None:
    """Run an AWS on this machine: for demos, tests and trying things out."""


@command.command()
@option("--linked", type=click.IntRange(0, 1000), default=3, show_default=True, help="How many.")
@option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0: any free one.")
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("sandbox.env"),
    show_default=True,
    help="The file to source: endpoint, credentials and profiles.",
)
@option(
    "--delivery",
    type=click.Choice(["auto", "manual"]),
    default="auto",
    show_default=True,
    help="Deliver reports by itself, or only on `sandbox deliver`.",
)
@click.option("--stop-with-parent", is_flag=True, help="End when the starting process has died.")
def up(
    linked: int, host: str, port: int, env_file: Path, delivery: str, stop_with_parent: bool
) -> ExitCode:
    """Start it in the foreground; Ctrl-C ends it."""
    try:
        from orchestrator.sandbox.server import serve
    except ModuleNotFoundError as error:
        raise OctoTfError(
            f"the sandbox is not installed ({error.name} is missing)",
            hint="pip install 'octo-tf[sandbox]'",
        ) from None
    serve(
        linked=linked,
        host=host,
        port=port,
        env_file=env_file,
        delivery=delivery,
        stop_with_parent=stop_with_parent,
    )
    return ExitCode.DONE


@command.command()
def deliver() -> ExitCode:
    """Let the billing service deliver every report now; JSON on stdout."""
    from orchestrator.sandbox import control

    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise ConfigError("is not set", where="AWS_ENDPOINT_URL", hint="Source the sandbox.env.")
    try:
        deliveries = control.deliver(endpoint)
    except OSError as error:
        raise OctoTfError(
            f"no sandbox answers: {error}", where=endpoint, hint="Start `octo-tf sandbox up`."
        ) from None
    click.echo(json.dumps(deliveries, indent=2))
    return ExitCode.DONE
