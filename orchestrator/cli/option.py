"""Options: each belongs to a group, and has an environment variable ``OCTO_TF_<NAME>``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from orchestrator.model.setting import Group, variable_of

Function = TypeVar("Function", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, dir_okay=False)  # which need not exist
EXISTING_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
EVERYTHING = "orchestrator.cli.everything"  # in a context's meta: --help-all was asked for


class Option(click.Option):
    """An option of a group.

    Attributes:
        group: None for an option of one command's own.
        common: whether plain ``--help`` shows it; its environment variable is for ``--help-all``.
    """

    def __init__(
        self, *args: Any, group: Group | None = None, common: bool = True, **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self.group, self.common = group, common

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Leave the environment variable out of plain help, and click's brackets out of words."""
        extra = super().get_help_extra(ctx)
        if isinstance(self.show_default, str):
            extra["default"] = self.show_default
        if EVERYTHING not in ctx.meta:
            extra.pop("envvars", None)
        return extra


def option(flag: str, *names: str, **settings: Any) -> Callable[[Function], Function]:
    """Declare an option whose environment variable follows from its flag."""
    variable = variable_of(flag.split("/")[0])
    return click.option(flag, *names, cls=Option, envvar=variable, show_envvar=True, **settings)


def together(*decorators: Callable[[Any], Any]) -> Callable[[Function], Function]:
    """Apply several decorators as one, the first one outermost."""

    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate
