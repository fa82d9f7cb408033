"""Options that several commands share; each has an environment variable, ``OCTO_TF_<NAME>``."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.option import decorate, option
from orchestrator.cli.registration import registration_options
from orchestrator.cli.session import Session

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.errors import ExitCode
    from orchestrator.model.registration import Registration
    from orchestrator.verify.model import Report

CONFIG = Path("octo.yaml")
WORKDIR = Path(".octo-tf")
OCTO_ENDPOINT = "https://api.alphaus.cloud/m/blue/cover"


def _seconds(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    match = re.fullmatch(r"(\d+)(s|m|h)?", value)
    if not match:
        raise click.BadParameter("must be a duration like 90s, 10m or 24h")
    return int(match[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[match[2] or "s"]


def _events(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    form, _, target = value.partition("=")
    if form != "jsonl" or not target:
        raise click.BadParameter("must be jsonl=FILE or jsonl=fd:N")
    return target


OCTO = (
    option(
        "--octo/--no-octo",
        "use_octo",
        default=True,
        help="Tell Octo's API, where there are credentials (ALPHAUS_CLIENT_ID, ...).",
    ),
    option(
        "--octo-profile",
        metavar="NAME",
        help="A profile of ~/.config/alphaus/config.toml.  [default: environment, then `default`]",
    ),
    option(
        "--octo-endpoint", metavar="URL", default=OCTO_ENDPOINT, help="The address of Octo's API."
    ),
)

_CONFIG = option(
    "--config",
    "-c",
    type=click.Path(path_type=Path, dir_okay=False),
    default=CONFIG,
    show_default=True,
    help="The file that says what to register.",
)

_RUNNING = (
    _CONFIG,
    option(
        "--workdir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Holds one Terraform root folder per account.  [default: .octo-tf beside --config]",
    ),
    option(
        "--tf-path",
        metavar="PROGRAM",
        help="Terraform or OpenTofu, or `embedded`.  [default: from PATH]",
    ),
    option("--parallelism", type=click.IntRange(min=1), help="Terraform's -parallelism."),
    option(
        "--lock-timeout",
        "lock_seconds",
        metavar="DURATION",
        default="60s",
        show_default=True,
        callback=_seconds,
        help="Wait this long for another run's state lock.",
    ),
    option(
        "--principal-profile",
        metavar="NAME",
        help="An AWS profile of Octo's principal account, to prove access (sandbox, tests).",
    ),
    *OCTO,
    option(
        "--events",
        "events_target",
        metavar="jsonl=FILE",
        callback=_events,
        help="Write each event of the run to FILE (or to descriptor N: jsonl=fd:N) as JSON lines.",
    ),
    option("--verbose", "-v", is_flag=True, help="Progress lines even without a terminal."),
    option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same."),
)

JSON = click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")

WAIT = option(
    "--wait",
    "wait_seconds",
    metavar="DURATION",
    default="0",
    callback=_seconds,
    help="Wait this long for what is pending (90s, 10m, 24h).",
)


def _reports(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> Any:
    from orchestrator.report import formats

    known = formats("verification")
    reports = {}
    for pair in (pair for text in value for pair in text.split(",")):
        name, separator, file = pair.partition("=")
        if not separator or not file or name not in known:
            raise click.BadParameter(
                f"{pair!r} is not FORMAT=FILE with a format of {', '.join(known)}"
            )
        reports[name] = Path(file)
    return reports


REPORT = option(
    "--report",
    "reports",
    metavar="FORMAT=FILE",
    multiple=True,
    callback=_reports,
    help="Write the report to a file too: junit=, json=, markdown= or table=; repeat, or separate"
    " by commas.",
)

ENABLE_ACCESS = option(
    "--enable-trusted-access",
    "enable_access",
    is_flag=True,
    help="Switch CloudFormation's access to the organization on, where a StackSet needs it.",
)

ALLOW_DESTROY = option(
    "--allow-destroy",
    metavar="ADDRESS",
    multiple=True,
    help="A resource that this run may destroy or replace; repeat for several.",
)


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds everything a run needs; the function gets it as ``context``."""

    @functools.wraps(function)
    def now(*arguments: Any, load_context: Callable[..., AccountContext], **parameters: Any) -> Any:
        return function(*arguments, context=load_context(), **parameters)

    return deferred_run_options(now)


def adopting_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a command that comes before octo.yaml; it gets the given ``flags`` too.

    ``load_context`` then takes ``defaults`` in place of octo.yaml; flags win over them.
    """
    return deferred_run_options(function, with_flags=True)


def deferred_run_options(
    function: Callable[..., Any], *, with_flags: bool = False
) -> Callable[..., Any]:
    """The same for a command that calls ``load_context`` itself, with settings of its own."""

    @functools.wraps(function)
    def make(
        *arguments: Any,
        flags: dict[str, Any],
        config: Path,
        workdir: Path | None,
        tf_path: str | None,
        parallelism: int | None,
        lock_seconds: float,
        principal_profile: str | None,
        use_octo: bool,
        octo_profile: str | None,
        octo_endpoint: str,
        verbose: bool,
        no_color: bool,
        events_target: str | None = None,
        wait_seconds: float = 0.0,
        allow_destroy: tuple[str, ...] = (),
        enable_access: bool = False,
        **parameters: Any,
    ) -> Any:
        def load_context(
            *,
            defaults: dict[str, Any] | None = None,
            adopting: bool = False,
            accepted_removals: frozenset[tuple[str, str]] = frozenset(),
            **settings: Any,
        ) -> AccountContext:
            # Imported here, and the rest only once octo.yaml is right: boto3, pydantic and
            # Jinja take most of a second to load.
            from orchestrator.config.load import EXTERNAL_ID_SOURCES, load, place_of
            from orchestrator.octo.credentials import find

            credentials = find(os.environ, profile=octo_profile) if use_octo else None
            own = {name: value for name, value in flags.items() if value is not None}
            given = {**(defaults or {}), **own, **settings}
            registration: Registration = load(
                config, given, os.environ, octo_has_external_id=credentials is not None
            )

            def place(name: str) -> str:
                names = EXTERNAL_ID_SOURCES if name == "external_id" else (name,)
                return place_of(config, given, *names)

            from orchestrator.app.context import Settings, build
            from orchestrator.app.events import Events
            from orchestrator.ui.terminal import Terminal

            session = Session.current()
            session.color = use_color(no_color)
            consumers: list[Any] = [Terminal(verbose=verbose, color=session.color)]
            if events_target is not None:
                from orchestrator.ui.jsonl import JsonLines, open_target

                consumers.append(JsonLines(open_target(events_target)))
            session.events = Events(*consumers)
            session.command = click.get_current_context().command_path.partition(" ")[2]
            return build(
                registration,
                Settings(
                    workdir=workdir or config.parent / WORKDIR,
                    environ=dict(os.environ),
                    tf_path=tf_path,
                    parallelism=parallelism,
                    lock_seconds=lock_seconds,
                    principal_profile=principal_profile,
                    allow_destroy=frozenset(allow_destroy),
                    wait_seconds=wait_seconds,
                    enable_access=enable_access,
                    adopting=adopting,
                    accepted_removals=accepted_removals,
                    octo_credentials=credentials,
                    octo_endpoint=octo_endpoint,
                    place_of=place,
                ),
                events=session.events,
                cancellation=session.cancellation,
            )

        if with_flags:
            parameters["flags"] = {name: v for name, v in flags.items() if v is not None}
        return function(*arguments, load_context=load_context, **parameters)

    return decorate(registration_options(make), _RUNNING)


def end(report: Report, reports: dict[str, Path], *, as_json: bool) -> ExitCode:
    """How a command that verifies ends: the files of --report, stdout, the exit code."""
    from orchestrator.report import render_verification

    for name, file in reports.items():
        write_report(file, render_verification(report, name))
    name = "json" if as_json else "table"
    click.echo(render_verification(report, name, color=Session.current().color))
    return report.exit_code


def write_report(file: Path, text: str) -> None:
    """Writes a report that is meant to be passed on: readable by all, it holds no secret.

    Raises:
        OctoTfError: it cannot be written.
    """
    from orchestrator.errors import OctoTfError
    from orchestrator.files import write_atomically

    try:
        write_atomically(file, (text + "\n").encode(), mode=0o644)
    except OSError as error:
        raise OctoTfError(
            f"the report cannot be written: {error.strerror}",
            where=str(file),
            hint="Name a file in a folder that can be written.",
        ) from error


def use_color(no_color: bool) -> bool:
    """Whether colours are wanted (https://no-color.org)."""
    return not no_color and not os.environ.get("NO_COLOR")
