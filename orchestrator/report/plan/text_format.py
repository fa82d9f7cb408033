"""One line per resource, and a summary in Terraform's words."""

from __future__ import annotations

from orchestrator.engine.plan import Plan
from orchestrator.review import Review

_SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "±"}


def render(review: Review, *, color: bool = False) -> str:
    """The plan for a person; the guard's refusal is an error of its own."""
    del color
    plan = review.plan
    if not plan.has_changes:
        return "No changes. What is there is what octo.yaml asks for."
    lines = [
        f"  {_SIGNS.get(change.action, '>')} {change.action:8}{change.address}"
        for change in plan.changes
    ]
    return "\n".join([*lines, summary(plan)])


def summary(plan: Plan) -> str:
    """``Plan: 17 to add, 0 to change, 0 to destroy.``"""
    add, change, destroy = plan.totals
    return f"Plan: {add} to add, {change} to change, {destroy} to destroy."
