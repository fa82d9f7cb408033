"""The command line that repeats a run, for people and pull requests; secrets are left out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource

# Secrets, and how this run was shown.
_LEFT_OUT = {"external_id", "new", "as_json"}


def replay(ctx: click.Context, name: str, command: click.Command, *arguments: str) -> str:
    """Return the line ``octo-tf <name>`` with the options and arguments of this run that it takes.

    Args:
        name: the name of the command to run instead.
        arguments: further arguments of that command.
    """
    shared = {parameter.name for parameter in command.params}
    line = ["octo-tf", name]
    for parameter in ctx.command.params:
        field = parameter.name or ""
        given = ctx.get_parameter_source(field) is ParameterSource.COMMANDLINE
        if given and field in shared - _LEFT_OUT and isinstance(parameter, click.Option):
            line += words(parameter.opts[0], ctx.params[field])
        elif given and field in shared - _LEFT_OUT and isinstance(parameter, click.Argument):
            arguments = (*arguments, str(ctx.params[field]))
    return shlex.join([*line, *arguments])


def words(flag: str, value: Any) -> list[str]:
    """Return the words of a command line that give an option a value."""
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag.removeprefix('--')}"]
    if isinstance(value, Mapping):
        return [word for key, text in value.items() for word in (flag, f"{key}={text}")]
    if isinstance(value, (list, tuple)):
        return [word for text in value for word in (flag, str(text))]
    return [flag, str(value)]
