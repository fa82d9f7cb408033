"""The pieces of GitHub-flavoured Markdown that reports consist of, safely escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def heading(command: str, account_id: str, account_name: str, account_type: str) -> list[str]:
    """Return the title, after a marker by which a pipeline finds its earlier comment."""
    name = f" {code(account_name)}" if account_name else ""
    return [
        f"<!-- octo-tf {command} {account_id} -->",
        f"### octo-tf {command}: {account_type} account {code(account_id)}{name}",
    ]


def code(text: str) -> str:
    """Put text in a code span, in which nothing is markup."""
    text = " ".join(text.split())
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def plain(text: str) -> str:
    """Escape text outside code, so that its punctuation is not interpreted."""
    escaped = "".join(f"\\{c}" if c in "\\`*_{}[]<>#|~@" else c for c in text)
    return " ".join(escaped.split())


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render a table; a bar is escaped, also in a code span, where it would end the cell."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    for row in rows:
        cells = (cell.replace("\\|", "|").replace("|", "\\|") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
