"""A table with one line for each resource, then notes."""

from __future__ import annotations

from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from orchestrator.adoption.discovery import Discovery
from orchestrator.report.tables import printed

_FATES = {
    "ours": "managed by octo-tf",
    "adopt": "adopt imports it",
    "release first": "release the stack first",
    "stays": "left unchanged",
}


def render(discovery: Discovery, *, color: bool = False) -> str:
    """Render a discovery as a table."""
    head = f"Account {discovery.account_id} ({discovery.account_type})"
    if not discovery.things:
        register = "Register the account: octo-tf init, octo-tf apply."
        return f"{head}\n\nNo resource of Octo's is here. {register}"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("what", "name", "purpose", "owner", "octo-tf"):
        table.add_column(column, overflow="fold")
    for thing in discovery.things:
        purpose = escape(thing.purpose)
        if thing.risks:
            purpose += f" [yellow]can: {escape(', '.join(thing.risks))}[/]"
        owner = "another Terraform, or none" if thing.owner == "unknown" else thing.owner
        table.add_row(thing.kind, escape(thing.name), purpose, escape(owner), _FATES[thing.fate])
    parts: list[RenderableType] = [head, table]
    parts += [f"Note: {escape(note)}" for note in discovery.notes]
    return printed(parts, color=color)
