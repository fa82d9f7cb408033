"""A verification report in the formats that people and programs read; one file per format."""

from __future__ import annotations

import importlib
import pkgutil

from orchestrator.verify.model import Report


def formats() -> list[str]:
    """The names of the formats, found by their place."""
    return sorted(found.name.removesuffix("_format") for found in pkgutil.iter_modules(__path__))


def render(report: Report, name: str, *, color: bool = False) -> str:
    """The report in one format; ``color`` matters to formats for a terminal only.

    Raises:
        KeyError: there is no such format.
    """
    if name not in formats():
        raise KeyError(name)
    text: str = importlib.import_module(f"{__name__}.{name}_format").render(report, color=color)
    return text
