"""Lines that are too long for a terminal are broken between words."""

from __future__ import annotations

import textwrap

_COMMAND = ("octo-tf ", "$ ")  # what somebody copies stays one line


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
