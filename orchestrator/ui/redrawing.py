"""Text on a terminal that is drawn again in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.live import Live
from rich.text import Text


@contextmanager
def redrawing() -> Iterator[Callable[[str], None]]:
    """Give a function that draws a text over the one before it; the last one is removed."""
    with Live(transient=True, auto_refresh=False) as live:
        yield lambda text: live.update(Text.from_ansi(text), refresh=True)
