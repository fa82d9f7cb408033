"""A table for a person: one line for each thing, then what should be known."""

from __future__ import annotations

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from orchestrator.adoption.discovery import Discovery
from orchestrator.report.tables import printed

_FATES = {
    "ours": "octo-tf's already",
    "adopt": "adopt takes it over",
    "release first": "release the stack first",
    "stays": "stays as it is",
}


def render(discovery: Discovery, *, color: bool = False) -> str:
    """What was found."""
    head = f"Account {discovery.account_id} ({discovery.account_type})"
    if not discovery.things:
        return f"{head}\n\nNothing of Octo's is here. Register it: octo-tf init, octo-tf apply."
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("what", "name", "purpose", "owner", "octo-tf"):
        table.add_column(column, overflow="fold")
    for thing in discovery.things:
        purpose = escape(thing.purpose)
        if thing.risks:
            purpose += f" [yellow]can: {escape(', '.join(thing.risks))}[/]"
        owner = "another Terraform, or nobody" if thing.owner == "unknown" else thing.owner
        table.add_row(thing.kind, escape(thing.name), purpose, escape(owner), _FATES[thing.fate])
    parts: list[RenderableType] = [head, table]
    parts += [f"Note: {escape(note)}" for note in discovery.notes]
    return printed(parts, color=color)
