"""Render rich tables and text to a string, as wide as the terminal."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterable

from rich.console import Console, RenderableType

_WIDEST = 120


def printed(parts: Iterable[RenderableType], *, color: bool) -> str:
    """Render the parts below each other."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        force_terminal=color,
        no_color=not color,
        width=min(shutil.get_terminal_size((100, 24)).columns, _WIDEST),
        highlight=False,
    )
    for part in parts:
        console.print(part)
    return stream.getvalue().rstrip("\n")
