"""One line for each resource, what it means, and a summary in Terraform's words."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.app.review import Review
from orchestrator.model.outside_action import OutsideAction
from orchestrator.model.words import counted
from orchestrator.report.meaning import sections
from orchestrator.stackset.deployments import PendingDeployments
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.plan import Plan

_SHOWN = 10
_SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "±"}


def render(review: Review, *, color: bool = False) -> str:
    """Render a plan as text; a refusal by the guard is an error of its own.

    Moves are counted: they come by the dozen, from a new version of the module, and change nothing.
    """
    del color
    plan = review.plan
    if not review.has_changes:
        none = "No changes. AWS has what octo.yaml asks for."
        return "\n".join([none, *_lines(review.outside)])
    lines = [
        f"  {_SIGNS.get(change.action, '>')} {change.action:8}{change.address}{_taken(change)}"
        for change in plan.changes
        if change.action != "move"
    ]
    if moved := plan.count("move"):
        what = counted(moved, "resource")
        lines.append(f"  > move    {what}, to other addresses in Terraform's state")
    meaning = [
        line
        for section in sections(review)
        for line in (f"{section.title}:", *(f"  {sentence}" for sentence in section.sentences))
    ]
    linked = [f"Linked accounts: {sentence}." for sentence in sentences(review.linked)]
    before = [action for action in review.outside if not action.after_apply]
    after = [action for action in review.outside if action.after_apply]
    then = ["Afterwards:", *_lines(after)] if after else []
    return "\n".join([*_lines(before), *lines, *meaning, summary(plan), *linked, *then])


def _lines(actions: Iterable[OutsideAction]) -> list[str]:
    """List changes outside Terraform, one line each."""
    return [f"  > {action.summary}" for action in actions]


def sentences(linked: PendingDeployments) -> list[str]:
    """Say what is done for single accounts: ``deploy API access to 2 (111122223333, ...)``."""
    kinds = (
        ("deploy API access to", linked.deploy),
        ("try again", linked.retry),
        ("take out of the StackSet", linked.remove),
        ("delete and create again the stack of", linked.recreate),
    )
    return [
        f"{what} {len(accounts)} ({', '.join(accounts[:_SHOWN])}"
        + (", ...)" if len(accounts) > _SHOWN else ")")
        for what, accounts in kinds
        if accounts
    ]


def _taken(change: PlannedChange) -> str:
    return "  (imported from AWS)" if change.imported else ""


def summary(plan: Plan) -> str:
    """Summarize a plan: ``Plan: 18 to add, 0 to change, 0 to destroy.``; imports come first."""
    add, change, destroy = plan.totals
    imported = sum(change.imported for change in plan.changes)
    first = f"{imported} to import, " if imported else ""
    if moved := plan.count("move"):
        first += f"{moved} to move in the state, "
    text = f"Plan: {first}{add} to add, {change} to change, {destroy} to destroy."
    if plan.has_changes and all(c.action in ("import", "move", "remove") for c in plan.changes):
        return f"{text} Terraform changes nothing in AWS, only its state."
    return text
