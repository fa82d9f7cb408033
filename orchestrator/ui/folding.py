"""Lines that are too long for a terminal are broken between words."""

from __future__ import annotations

import shutil
import textwrap

_COMMAND = ("octo-tf ", "$ ")  # what somebody copies stays one line


def fitting(text: str) -> str:
    """Break the lines of a text that are wider than the terminal; see ``folded``."""
    return folded(text, shutil.get_terminal_size((100, 24)).columns)


def folded(text: str, width: int) -> str:
    """Break the lines of a text that are wider than ``width`` columns, indented by two more."""
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.lstrip()
        if len(line) <= width or bare.startswith(_COMMAND):
            lines.append(line)
            continue
        indent = " " * (len(line) - len(bare) + 2)
        lines += textwrap.wrap(
            line,
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)
