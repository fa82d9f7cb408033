"""JSON with a versioned schema: keys are only ever added within a version."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from orchestrator import __version__
from orchestrator.app.review import Review
from orchestrator.model.effects import RoleChange
from orchestrator.model.policy.trust import Admission
from orchestrator.report.abilities import abilities, comparison, conditions
from orchestrator.report.meaning import sections

SCHEMA = "octo-tf/plan/v3"
_PERMISSIONS = "octo-tf/permissions/v1"


def render(review: Review, *, color: bool = False) -> str:
    """Render a plan as JSON (schema: ``docs/schemas/plan-v3.json``)."""
    del color
    plan, verdict, effects = review.plan, review.verdict, review.effects
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
                    "attributes": [asdict(a) for a in effects.attributes.get(c.address, ())],
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
                "unaccepted": list(verdict.unaccepted),
            },
            "meaning": [asdict(section) for section in sections(review)],
            "roles": [_role(change) for change in effects.roles],
            "buckets": [
                {"bucket": bucket, "who": who, "abilities": comparison(change)}
                for bucket, who, change in effects.buckets
            ],
            "repairs": [
                {**asdict(repair), "allowed": abilities(repair.allowed)}
                for repair in effects.repairs
            ],
            "delivery": {
                name: asdict(delivery) if delivery else None
                for name, delivery in zip(("before", "after"), effects.deliveries, strict=True)
            },
            "linked_roles": asdict(effects.linked),
            "made_from": {**asdict(effects.origin), "versions": dict(effects.origin.versions)},
            "replay": review.replay,
        },
        indent=2,
    )


def render_roles(changes: Iterable[RoleChange]) -> str:
    """Render how roles differ, without a plan (schema: ``docs/schemas/permissions-v1.json``)."""
    return json.dumps({"schema": _PERMISSIONS, "roles": list(map(_role, changes))}, indent=2)


def _role(change: RoleChange) -> dict[str, Any]:
    trust = change.trust
    return {
        "name": change.name,
        "in_linked_accounts": change.in_linked,
        "fate": change.fate,
        "abilities": comparison(change.abilities),
        "trust": {
            "gained": [_admission(a) for a in trust.gained],
            "lost": [_admission(a) for a in trust.lost],
            "changed": [
                {"before": _admission(a), "after": _admission(b)} for a, b in trust.changed
            ],
            "another_external_id": trust.another_external_id,
        },
        "boundary": {"before": change.boundary[0], "after": change.boundary[1]},
        "unread": list(change.unread),
    }


def _admission(admission: Admission) -> dict[str, Any]:
    return {
        "who": admission.who,
        "besides": admission.action,
        **conditions(admission.terms),
    }
