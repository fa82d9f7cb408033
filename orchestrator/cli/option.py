"""An option of a command, with its environment variable: ``OCTO_TF_<NAME>``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def option(flag: str, *names: str, **settings: Any) -> Callable[[Function], Function]:
    """A click option whose environment variable follows from its flag."""
    variable = "OCTO_TF_" + flag.split("/")[0].lstrip("-").replace("-", "_").upper()
    return click.option(flag, *names, envvar=variable, show_envvar=True, **settings)


def decorate(function: Callable[..., Any], decorators: tuple[Any, ...]) -> Callable[..., Any]:
    """The function with each decorator applied, the first one outermost."""
    for decorator in reversed(decorators):
        function = decorator(function)
    return function
