"""The few pieces of GitHub-flavoured Markdown that reports are made of, safely escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def code(text: str) -> str:
    """Text in a code span: nothing in it is markup, whatever it holds."""
    text = " ".join(text.split())
    longest = max((len(run) for run in _backtick_runs(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def plain(text: str) -> str:
    """Text outside code: its punctuation is shown, not interpreted."""
    escaped = "".join(f"\\{c}" if c in "\\`*_{}[]<>#|~@" else c for c in text)
    return " ".join(escaped.split())


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a cell's bar would end it, in a code span too."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    for row in rows:
        cells = (cell.replace("\\|", "|").replace("|", "\\|") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _backtick_runs(text: str) -> Iterable[str]:
    run = ""
    for character in text + " ":
        if character == "`":
            run += character
        elif run:
            yield run
            run = ""
