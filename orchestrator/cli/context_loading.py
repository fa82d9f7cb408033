"""From options to the run of a command: octo.yaml and flags, read and validated."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.option import together
from orchestrator.cli.results import use_color
from orchestrator.cli.session import Session
from orchestrator.cli.shared_options import CONFIG, CONFIG_FILE, NEW_CONFIG, PROGRESS
from orchestrator.model.registration import EXTERNAL_ID_SOURCES, flag_of, settings, to_register
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
    """The same for a command that comes before octo.yaml; it gets the given ``flags`` too.

    ``load_context`` then takes ``defaults`` in place of octo.yaml; flags win over them.
    """
    return deferred_run_options(*options, with_flags=True, config=NEW_CONFIG)


def deferred_run_options(
    *options: Callable[..., Any],
    with_flags: bool = False,
    config: Callable[..., Any] = CONFIG,
) -> Callable[[Function], Function]:
    """The same for a command that calls ``load_context`` itself, with settings of its own.

    Args:
        options: the command's options.
        with_flags: whether it gets the given ``flags``.
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


def _loading(function: Function, *, with_flags: bool) -> Function:
    @functools.wraps(function)
    def make(
        *arguments: Any,
        flags: dict[str, Any],
        config: Path = CONFIG_FILE,
        workdir: Path | None = None,
        tf_path: str | None = None,
        parallelism: int | None = None,
        lock_seconds: float = 60.0,
        principal_profile: str | None = None,
        use_octo: bool = False,
        octo_profile: str | None = None,
        octo_endpoint: str = ENDPOINT,
        verbose: bool = False,
        no_color: bool = False,
        events_target: str | None = None,
        wait_seconds: float = 0.0,
        allow_destroy: tuple[str, ...] = (),
        enable_access: bool = False,
        **parameters: Any,
    ) -> Any:
        def load_context(
            *,
            defaults: dict[str, Any] | None = None,
            **settings: Any,
        ) -> AccountContext:
            # Imported here, and the rest only once octo.yaml is right: boto3 and Jinja take most
            # of a second to load.
            from orchestrator.config.load import load, place_of
            from orchestrator.octo.credentials import find

            credentials = find(os.environ, profile=octo_profile) if use_octo else None
            own = {name: value for name, value in flags.items() if value is not None}
            given = {**(defaults or {}), **own, **settings}
            # A command without options of the external id does without it.
            optional = credentials is not None or "external_id" not in flags
            registration: Registration = load(
                config, given, os.environ, octo_has_external_id=optional
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
            if session.command in _OF_ONE_RUN:
                _warn_of_one_run(session.events, config, own)
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

    return make


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
    """Say which flags octo.yaml does not say: the next run without them would undo them."""
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
