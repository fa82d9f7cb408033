"""A plan as text and as JSON: addresses and actions, never values."""

from __future__ import annotations

import json

from orchestrator.engine.plan import Plan

SCHEMA = "octo-tf/plan/v1"
_SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "±"}


def as_text(plan: Plan) -> str:
    """One line per resource, and a summary in Terraform's words."""
    if not plan.has_changes:
        return "No changes. What is there is what octo.yaml asks for."
    lines = [
        f"  {_SIGNS.get(change.action, '>')} {change.action:8}{change.address}"
        for change in plan.changes
    ]
    add, change, destroy = (
        plan.count("create", "replace"),
        plan.count("update"),
        plan.count("delete", "replace"),
    )
    return "\n".join([*lines, f"Plan: {add} to add, {change} to change, {destroy} to destroy."])


def as_json(plan: Plan) -> str:
    """The same for programs; ``schema`` is versioned."""
    return json.dumps(
        {
            "schema": SCHEMA,
            "has_changes": plan.has_changes,
            "changes": [
                {"address": c.address, "type": c.type, "action": c.action, "reason": c.reason}
                for c in plan.changes
            ],
        },
        indent=2,
    )
