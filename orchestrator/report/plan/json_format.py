"""JSON with a versioned schema: keys are only ever added within a version."""

from __future__ import annotations

import json
from dataclasses import asdict

from orchestrator import __version__
from orchestrator.app.review import Review

SCHEMA = "octo-tf/plan/v1"


def render(review: Review, *, color: bool = False) -> str:
    """Render a plan as JSON (schema: ``docs/schemas/plan-v1.json``)."""
    del color
    plan, verdict = review.plan, review.verdict
    add, change, destroy = plan.totals
    return json.dumps(
        {
            "schema": SCHEMA,
            "octo_tf_version": __version__,
            "account": {
                "id": review.account_id,
                "name": review.account_name,
                "type": review.account_type,
            },
            "has_changes": review.has_changes,
            "totals": {"add": add, "change": change, "destroy": destroy},
            "changes": [
                {
                    "address": c.address,
                    "type": c.type,
                    "action": c.action,
                    "reason": c.reason,
                    "imported": c.imported,
                }
                for c in plan.changes
            ],
            "linked_accounts": {
                "deploy": list(review.linked.deploy),
                "retry": list(review.linked.retry),
                "remove": list(review.linked.remove),
                "recreate": list(review.linked.recreate),
            },
            "outside": [
                {**asdict(action), "after_apply": action.after_apply} for action in review.outside
            ],
            "guard": {
                "verdict": "allowed" if verdict.allowed else "refused",
                "refusals": [
                    {"address": address, "reason": why} for address, why in verdict.refusals.items()
                ],
            },
            "replay": review.replay,
        },
        indent=2,
    )
