"""From options to the run of a command: octo.yaml and flags, read and validated."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.option import together
from orchestrator.cli.results import use_color
from orchestrator.cli.session import Session
from orchestrator.cli.shared_options import CONFIG, CONFIG_FILE, NEW_CONFIG, PROGRESS
from orchestrator.model.registration import flag_of, settings, to_register
from orchestrator.octo.credentials import ENDPOINT

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.app.events import Events
    from orchestrator.model.registration import Registration

WORKDIR = Path(".octo-tf")
# Commands whose flags are not written to octo.yaml: they do not ask whether to change it.
_OF_ONE_RUN = ("plan", "apply", "console link", "console check", "console finish")
Function = Callable[..., Any]
Load = Callable[..., "AccountContext"]


def run_options(*options: Callable[..., Any]) -> Callable[[Function], Function]:
    """Add options to a command that registers or inspects an account; it gets the ``context``."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def now(
            *arguments: Any, load_context: Callable[..., AccountContext], **parameters: Any
        ) -> Any:
            return function(*arguments, context=load_context(), **parameters)

        return deferred_run_options(*options)(now)

    return decorate


def adopting_options(*options: Callable[..., Any]) -> Callable[[Function], Function]:
    """Add options to a command that runs before octo.yaml exists; it gets ``flags`` too.

    ``load_context`` then takes ``defaults`` in place of octo.yaml; flags win over them.
    """
    return deferred_run_options(*options, with_flags=True, config=NEW_CONFIG)


def deferred_run_options(
    *options: Callable[..., Any],
    with_flags: bool = False,
    config: Callable[..., Any] = CONFIG,
) -> Callable[[Function], Function]:
    """Add options to a command that calls ``load_context`` itself, with settings of its own.

    Args:
        with_flags: whether the command gets the given ``flags``.
        config: the option that names octo.yaml.
    """

    def decorate(function: Function) -> Function:
        return together(config, *options, PROGRESS)(
            with_setting_flags(_loading(function, with_flags=with_flags))
        )

    return decorate


def with_setting_flags(function: Function) -> Function:
    """Pass the options of settings as one mapping, ``flags``, by the settings' dotted names."""
    names = {name.replace(".", "__"): name for name in settings()}

    @functools.wraps(function)
    def collect(*arguments: Any, **parameters: Any) -> Any:
        flags = {names[key]: parameters.pop(key) for key in [*parameters] if key in names}
        return function(*arguments, flags=flags, **parameters)

    return collect


@dataclass(frozen=True)
class _RunOptions:
    """The options of a command that are no settings, by the names of their parameters."""

    config: Path = CONFIG_FILE
    workdir: Path | None = None
    tf_path: str | None = None
    parallelism: int | None = None
    lock_seconds: float = 60.0
    principal_profile: str | None = None
    use_octo: bool = False
    octo_profile: str | None = None
    octo_endpoint: str = ENDPOINT
    verbose: bool = False
    no_color: bool = False
    events_target: str | None = None
    wait_seconds: float = 0.0
    allow_destroy: tuple[str, ...] = ()
    enable_access: bool = False


def _loading(function: Function, *, with_flags: bool) -> Function:
    names = {field.name for field in fields(_RunOptions)}

    @functools.wraps(function)
    def make(*arguments: Any, flags: dict[str, Any], **parameters: Any) -> Any:
        options = _RunOptions(**{n: parameters.pop(n) for n in [*parameters] if n in names})
        given = {name: value for name, value in flags.items() if value is not None}
        if with_flags:
            parameters["flags"] = given
        load_context = functools.partial(
            _load_context, options, given, takes_external_id="external_id" in flags
        )
        return function(*arguments, load_context=load_context, **parameters)

    return make


def _load_context(
    options: _RunOptions,
    flags: dict[str, Any],
    *,
    takes_external_id: bool,
    defaults: dict[str, Any] | None = None,
    **settings: Any,
) -> AccountContext:
    """Read octo.yaml and validate it with the flags, then make what a run works with.

    Args:
        options: those that are no settings.
        flags: the settings that were given as flags, by name.
        takes_external_id: whether the command has options of the external id; one without them
            needs none.
        defaults: in place of octo.yaml; flags win over them.
        settings: of the command itself; they win over flags.
    """
    # Imported here, and the rest only once octo.yaml is right: boto3 and Jinja take most of a
    # second to load.
    from orchestrator.config.load import load, place_of
    from orchestrator.octo.credentials import find

    credentials = find(os.environ, profile=options.octo_profile) if options.use_octo else None
    given = {**(defaults or {}), **flags, **settings}
    registration: Registration = load(
        options.config,
        given,
        os.environ,
        octo_has_external_id=credentials is not None or not takes_external_id,
    )

    from orchestrator.app.context import Settings, build

    session = Session.current()
    events = _begin_events(session, options)
    if session.command in _OF_ONE_RUN:
        _warn_of_one_run(events, options.config, flags)
    return build(
        registration,
        Settings(
            workdir=options.workdir or options.config.parent / WORKDIR,
            environ=dict(os.environ),
            tf_path=options.tf_path,
            parallelism=options.parallelism,
            lock_seconds=options.lock_seconds,
            principal_profile=options.principal_profile,
            allow_destroy=_allow_destroy(options.allow_destroy, events),
            wait_seconds=options.wait_seconds,
            enable_access=options.enable_access,
            octo_credentials=credentials,
            octo_endpoint=options.octo_endpoint,
            place_of=functools.partial(place_of, options.config, given),
        ),
        events=events,
        cancellation=session.cancellation,
    )


def _allow_destroy(given: tuple[str, ...], events: Events) -> frozenset[str]:
    """Translate addresses of earlier versions of the module to today's, and warn of each."""
    if not given:
        return frozenset()
    from orchestrator.terraform.moves import current_address

    found = {address: current_address(address) for address in given}
    for address, now in found.items():
        if now != address:
            events.warn(
                f"--allow-destroy {address} is an address of an earlier version of the module;"
                f" {now} is used. Name that one from now on."
            )
    return frozenset(found.values())


def _begin_events(session: Session, options: _RunOptions) -> Events:
    """Give the session its events; they go to the terminal and to ``--events``."""
    from orchestrator.app.events import Events
    from orchestrator.ui.terminal import Terminal

    session.color = use_color(options.no_color)
    consumers: list[Any] = [Terminal(verbose=options.verbose, color=session.color)]
    if options.events_target is not None:
        from orchestrator.ui.jsonl import JsonLines, open_target

        consumers.append(JsonLines(open_target(options.events_target)))
    session.command = click.get_current_context().command_path.partition(" ")[2]
    session.events = Events(*consumers)
    return session.events


def names_in_state(
    ctx: click.Context, load_context: Callable[..., AccountContext]
) -> Callable[[str], frozenset[str]]:
    """Return a reader of the names in octo-tf's own state of an account, also without octo.yaml."""
    from orchestrator.app import adopt

    config: Path = ctx.params["config"]
    workdir: Path = ctx.params["workdir"] or config.parent / WORKDIR

    def read(account_id: str) -> frozenset[str]:
        if config.exists():
            return adopt.names_in_state(load_context())
        return adopt.names_in_folder(workdir / account_id)

    return read


def _warn_of_one_run(events: Events, config: Path, flags: dict[str, Any]) -> None:
    """Warn of flags that differ from octo.yaml: a run without them uses the file's values."""
    from orchestrator.config.edit import changes

    if not config.exists():
        return
    differing = [flag_of(name) for name in changes(config, to_register(flags))]
    if differing:
        holds = "differs from" if len(differing) == 1 else "differ from"
        what = "it holds" if len(differing) == 1 else "they hold"
        events.warn(
            f"{', '.join(differing)} {holds} {config}: {what} for this run only; without it,"
            " the next run uses the value in the file. To keep it, set it in octo.yaml."
        )
