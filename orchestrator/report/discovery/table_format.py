"""A table for people: one line for each resource, then notes."""

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
    if not discovery.resources:
        return (
            f"{head}\n\nThe account has nothing for Octo. Register it: octo-tf init, octo-tf apply."
        )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("kind", "name", "purpose", "owner", "octo-tf"):
        table.add_column(column, overflow="fold")
    for resource in discovery.resources:
        purpose = escape(resource.purpose)
        if resource.risks:
            purpose += f" [yellow]can: {escape(', '.join(resource.risks))}[/]"
        owner = (
            "another Terraform state, or none" if resource.owner == "unknown" else resource.owner
        )
        if resource.owner_region:
            owner += f" in {resource.owner_region}"
        table.add_row(
            resource.kind, escape(resource.name), purpose, escape(owner), _FATES[resource.fate]
        )
    parts: list[RenderableType] = [head, table]
    parts += [f"Note: {escape(note)}" for note in discovery.notes]
    return printed(parts, color=color)
