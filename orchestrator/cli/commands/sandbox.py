"""octo-tf sandbox: run a simulated AWS on this machine, for demos and tests."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import click

from orchestrator.cli.help import CommandGroup
from orchestrator.cli.option import EXISTING_FILE, FILE, option
from orchestrator.errors import ConfigError, OctoTfError
from orchestrator.sandbox import control


@click.group(cls=CommandGroup)
def command() -> None:
    """Run a simulated AWS on this machine, for demos and tests."""


@command.command()
@option(
    "--linked",
    type=click.IntRange(0, 10_000),
    default=3,
    show_default=True,
    help="How many linked accounts the payer has.",
)
@option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="The port to listen on; 0 chooses a free one.",
)
@click.option(
    "--env-file",
    type=FILE,
    default=Path("sandbox.env"),
    show_default=True,
    help="The file to source: endpoint, credentials and profiles.",
)
@option(
    "--delivery",
    type=click.Choice(["auto", "manual"]),
    default="auto",
    show_default=True,
    help="Whether reports are delivered at once, or by `sandbox deliver`.",
)
@option(
    "--stack-seconds",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="How long a StackSet takes for one account.",
)
@option(
    "--with-account-status",
    is_flag=True,
    help="Answer Account.Status of Organizations, too, which AWS has retired for State.",
)
@click.option(
    "--faults",
    type=EXISTING_FILE,
    help="A JSON file of faults to inject at the start.",
)
@click.option(
    "--stop-with-parent", is_flag=True, help="Stop when the process that started it ends."
)
def up(host: str, port: int, faults: Path | None, **settings: Any) -> None:
    """Start the sandbox in the foreground; Ctrl-C stops it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[
            name
        ]  # moto would ask for the shell's profile, perhaps a sandbox's that is gone
    try:
        from orchestrator.sandbox import serve
    except ModuleNotFoundError as error:
        raise OctoTfError(
            f"the sandbox is not installed ({error.name} is missing)",
            hint="Install octo-tf again with its extra sandbox; in a clone of it:"
            " pip install '.[sandbox]'",
        ) from None
    try:
        serve(host=host, port=port, faults=faults, **settings)
    except OSError as error:
        raise _not_up(error, f"{host}:{port}") from error
    except (ValueError, TypeError) as error:
        if faults is None:
            raise ConfigError(f"no address: {error}", where=f"--host {host}") from None
        raise ConfigError(
            f"is no list of faults: {error}",
            where=str(faults),
            hint='Write a JSON list like [{"service": "iam", "action": "CreateRole",'
            ' "error": "Throttling"}].',
        ) from None


def _not_up(error: OSError, address: str) -> OctoTfError:
    """Name the file or the address that keeps the sandbox from starting."""
    from orchestrator.cli.failures import of_system

    if error.filename is not None and (explained := of_system(error)):
        return explained
    # cheroot lists each address that it tried: "... -- (('::1', 80): [Errno 98] Address in use)".
    reason = re.sub(r".*\[Errno -?\d+\] ", "", str(error)).rstrip(")")
    return OctoTfError(
        f"the sandbox cannot listen there: {reason}",
        where=address,
        hint="Choose another --port (0: any free one), or a --host of this machine.",
    )


@command.command()
def deliver() -> None:
    """Deliver every report now, and list the deliveries as JSON."""
    with _running() as endpoint:
        click.echo(json.dumps(control.deliver(endpoint), indent=2))


@command.command()
@click.option(
    "--after",
    type=click.IntRange(min=0),
    default=0,
    metavar="NUMBER",
    help="Only the calls after the one of this number.",
)
def changes(after: int) -> None:
    """List the calls to AWS and Octo that change something, as JSON.

    The latest 10,000 are kept, each with its number, whether it was carried out or not.
    """
    with _running() as endpoint:
        listed = [change for change in control.changes(endpoint) if change["number"] > after]
    click.echo(json.dumps(listed, indent=2))


@command.command()
@click.argument("stack_seconds", type=click.FloatRange(min=0))
def pace(stack_seconds: float) -> None:
    """Set the time that a StackSet takes for one account to STACK_SECONDS."""
    with _running() as endpoint:
        control.pace(endpoint, stack_seconds)


@command.command("cur-role")
@click.argument("trust", type=click.Choice(["external-id", "no-id"]))
def cur_role(trust: str) -> None:
    """Have Octo assume the CUR role as TRUST says: with its external id, or without one.

    Which of both the live service does is not public.
    """
    with _running() as endpoint:
        control.octo_sends_id_to_cur_role(endpoint, sends=trust == "external-id")


@command.command()
@click.argument("version", type=click.Choice(["v1", "v2"]))
def template(version: str) -> None:
    """Change the simulated Octo's template for API access to VERSION.

    v2 asks for two more actions: registered accounts are outdated until their role allows these
    actions and Octo has confirmed again.
    """
    with _running() as endpoint:
        control.change_template(endpoint, version)


@command.command("change-external-id")
@click.argument("external_id", metavar="NEW")
def change_external_id(external_id: str) -> None:
    """Have Octo present NEW from now on, as its support would change it."""
    with _running() as endpoint:
        control.change_external_id(endpoint, external_id)


@command.command()
@click.argument("name")
def snapshot(name: str) -> None:
    """Keep what accounts, organization and Octo hold as NAME, until the sandbox ends."""
    with _running() as endpoint:
        control.snapshot(endpoint, name)


@command.command()
@click.argument("name")
def restore(name: str) -> None:
    """Go back to the snapshot NAME, as often as wanted; planted faults are removed."""
    with _running() as endpoint:
        control.restore(endpoint, name)


@command.group()
def fault() -> None:
    """Inject faults into the simulated AWS: errors, latency, dropped connections."""


@fault.command()
@click.option(
    "--service",
    default="*",
    show_default=True,
    help="The service that fails, like iam; * matches all.",
)
@click.option(
    "--action",
    default="*",
    show_default=True,
    help="The action that fails, like CreateRole; * matches all.",
)
@click.option("--error", default="", metavar="CODE", help="Answer with this error code.")
@click.option(
    "--latency", type=float, default=0.0, metavar="SECONDS", help="Delay the answer by this time."
)
@click.option("--drop", is_flag=True, help="Close the connection instead of answering.")
@click.option("--lose-answer", is_flag=True, help="Carry out the call, but lose its answer.")
@click.option(
    "--unknown-for",
    type=float,
    default=0.0,
    metavar="SECONDS",
    help="Keep a new role unknown for this time.",
)
@click.option("--partial-pages", is_flag=True, help="Return lists in pages of one entry.")
@click.option("--account", default="*", metavar="ID", help="The account that fails; * matches all.")
@click.option("--times", type=click.IntRange(min=1), help="How many calls fail; by default all.")
@click.option(
    "--after", type=click.IntRange(min=0), default=0, help="How many calls succeed first."
)
def add(**settings: Any) -> None:
    """Inject a fault, and list all faults as JSON."""
    with _running() as endpoint:
        click.echo(json.dumps(control.add_fault(endpoint, settings), indent=2))


@fault.command("list")
def list_faults() -> None:
    """List injected faults and how many calls each has matched, as JSON."""
    with _running() as endpoint:
        click.echo(json.dumps(control.faults(endpoint), indent=2))


@fault.command()
def clear() -> None:
    """Remove every injected fault."""
    with _running() as endpoint:
        control.clear_faults(endpoint)


@contextmanager
def _running() -> Iterator[str]:
    """The endpoint of the sandbox that the environment names; its refusals in words."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise ConfigError("is not set", where="AWS_ENDPOINT_URL", hint="Source the sandbox.env.")
    try:
        yield endpoint
    except HTTPError as error:
        raise ConfigError(f"the sandbox refuses: {error.read().decode()}", where=endpoint) from None
    except (OSError, ValueError) as error:  # ValueError: the address is no URL
        raise OctoTfError(
            f"no sandbox answers: {error}", where=endpoint, hint="Start `octo-tf sandbox up`."
        ) from None
