"""Render rich tables and text to a string, as wide as the terminal; nothing is cut off."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Collection, Iterable

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_WIDEST = 120
_NARROWEST = 20  # characters of a column that wraps
_PADDING = 3  # characters between two columns


def table_of(*columns: str, wraps: Collection[str] = ()) -> Table:
    """Make an empty table; the columns in ``wraps`` share the width that the others leave."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, ratio=1 if name in wraps else None, no_wrap=name not in wraps)
    return table


def printed(parts: Iterable[RenderableType], *, color: bool) -> str:
    """Render the parts below each other."""
    stream = io.StringIO()
    parts = [*parts]
    width = min(shutil.get_terminal_size((100, 24)).columns, _WIDEST)
    tables = [part for part in parts if isinstance(part, Table)]
    if not sys.stdout.isatty():
        width = max([width, *map(_needed, tables)])
    for table in tables:
        _fold(table, everywhere=_needed(table) > width)
    console = Console(
        file=stream,
        force_terminal=color,
        no_color=not color,
        width=width,
        highlight=False,
    )
    for part in parts:
        console.print(part)
    return stream.getvalue().rstrip("\n")


def _needed(table: Table) -> int:
    """Return the width that shows every column that does not wrap as a whole."""
    return sum(
        _PADDING + (max(map(_cells, column.cells), default=0) if column.no_wrap else _NARROWEST)
        for column in table.columns
    )


def _cells(content: RenderableType) -> int:
    return (content if isinstance(content, Text) else Text.from_markup(str(content))).cell_len


def _fold(table: Table, *, everywhere: bool) -> None:
    """Let columns wrap within a word: rich would end the word with an ellipsis."""
    for column in table.columns:
        column.no_wrap = column.no_wrap and not everywhere
        column.overflow = "fold"
