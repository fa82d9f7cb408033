"""Advice that the command at hand can follow.

A hint is written where an error arises, which several commands reach. An option that the command
at hand lacks is given its place: a setting of octo.yaml, or a command that has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
# A command with its arguments, up to the end of the clause: its options are its own.
_COMMAND = re.compile(r"`[^`]+`|octo-tf(?: [\w-]+)*(?: (?:--?[\w-]+|'[^']*'|[A-Z0-9]\w*))*")
_SHOWN = 3  # commands that are named
_NEEDS_OCTO = {"accounts", "confirm", "unregister"}


def fitting(hint: str, arguments: list[str], group: click.Group) -> str:
    """Return a hint that names where each of its options can be given.

    Args:
        hint: may name options.
        arguments: of the command line.
        group: octo-tf.
    """
    path, command = _resolved(arguments, group)
    if path and path[0] in _NEEDS_OCTO:
        hint = re.sub(r"[;,] *--no-octo[^;.]*", "", hint)
    own = _options(command)
    foreign = [o for o in dict.fromkeys(_OPTION.findall(_COMMAND.sub("", hint))) if o not in own]
    if not path or not foreign:
        return hint
    owners: dict[str, list[str]] = {}
    for name, other in _commands(group):
        for option in foreign:
            if option in _options(other):
                owners.setdefault(option, []).append(name)
    return " ".join([hint, *(_place(option, names) for option, names in owners.items())])


def _place(option: str, commands: list[str]) -> str:
    from orchestrator.model.registration import settings

    setting = next((s.name for s in settings().values() if s.flag == option), None)
    if setting is not None:
        return f"(Here, set {setting} in octo.yaml instead of {option}.)"
    named = commands[:_SHOWN]
    listed = " and ".join(filter(None, [", ".join(named[:-1]), named[-1]]))
    return f"({option} is an option of octo-tf {listed}.)"


def _resolved(arguments: list[str], group: click.Group) -> tuple[list[str], click.Command]:
    """The command that a command line names, and its path below octo-tf."""
    path: list[str] = []
    command: click.Command = group
    for argument in arguments:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), argument)
        if found is not None:
            path, command = [*path, argument], found
    return path, command


def _commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path}{name} ")
        elif command is not None:
            yield f"{path}{name}", command


def _options(command: click.Command) -> set[str]:
    return {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
