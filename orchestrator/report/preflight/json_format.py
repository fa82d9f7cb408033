"""JSON with a versioned schema: keys are only ever added within a version."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from orchestrator import __version__
from orchestrator.model.guardrail import Obstacle
from orchestrator.stackset.examination import Examination

SCHEMA = "octo-tf/preflight/v1"


def render(examination: Examination, *, color: bool = False) -> str:
    """Render a preflight for programs; ``docs/schemas/preflight-v1.json`` describes it."""
    del color
    found = examination.guardrails
    return json.dumps(
        {
            "schema": SCHEMA,
            "octo_tf_version": __version__,
            "account": {
                "id": examination.account.account_id,
                "type": examination.account.account_type,
            },
            "status": "problem" if examination.has_problem else "ok",
            "checks": [asdict(finding) for finding in examination.findings],
            "cut_off": found.cut_off,
            "obstacles": [_obstacle(obstacle) for obstacle in found.obstacles],
            "missing_permissions": list(found.denied),
            "evaluated": {
                "policies": found.policies,
                "chains": found.chains,
                "accounts": found.accounts,
            },
        },
        indent=2,
    )


def _obstacle(obstacle: Obstacle) -> dict[str, Any]:
    return {
        "denies": obstacle.phase.value,
        "certain": obstacle.certain,
        "policies": [
            {"id": p.policy_id, "name": p.name, "type": p.kind} for p in obstacle.policies
        ],
        "attached_to": list(obstacle.places),
        "statement": obstacle.name,
        "actions": list(obstacle.actions),
        "depends_on": list(obstacle.keys),
        "accounts": list(obstacle.accounts),
        "exemption": obstacle.exemption,
        "alternatives": list(obstacle.alternatives),
    }
