"""The few pieces of GitHub-flavoured Markdown that reports are made of, safely escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def heading(command: str, account_id: str, account_name: str, account_type: str) -> list[str]:
    """A marker, by which a pipeline finds its earlier comment on the account, and the title."""
    name = f" {code(account_name)}" if account_name else ""
    return [
        f"<!-- octo-tf {command} {account_id} -->",
        f"### octo-tf {command}: {account_type} account {code(account_id)}{name}",
    ]


def code(text: str) -> str:
    """Text in a code span: nothing in it is markup, whatever it holds."""
    text = " ".join(text.split())
    longest = max(map(len, re.findall("`+", text)), default=0)
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
