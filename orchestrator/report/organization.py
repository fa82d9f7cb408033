"""Draw an organization as a tree: its OUs, and each account with its state."""

from __future__ import annotations

from collections.abc import Mapping

from rich.markup import escape
from rich.tree import Tree

from orchestrator.model.coverage import State
from orchestrator.model.organization import Organization
from orchestrator.report.coverage import STYLES
from orchestrator.report.tables import printed


def as_tree(
    organization: Organization,
    *,
    states: Mapping[str, State],
    color: bool = False,
) -> str:
    """Draw the tree.

    Args:
        organization: the OUs, shown by their names or else their ids, and the accounts.
        states: the states of the linked accounts, by id; others are shown without.
    """
    branches = {organization.root: Tree("Root", guide_style="dim")}

    def branch(ou: str) -> Tree:
        if ou not in branches:
            above = branch(organization.parents.get(ou) or organization.root)
            branches[ou] = above.add(f"[bold]{escape(organization.names.get(ou, ou))}[/]")
        return branches[ou]

    for member in sorted(organization.members, key=lambda member: member.name):
        note = ""
        if member.account_id == organization.management_account_id:
            note = "  the payer"
        elif state := states.get(member.account_id):
            note = f"  [{STYLES.get(state, 'dim')}]{state.value}[/]"
        elif not member.active:
            note = f"  [dim]{member.state.lower()}[/]"
        branch(member.ou).add(f"{member.account_id} {escape(member.name)}{note}")
    return printed([branches[organization.root]], color=color)
