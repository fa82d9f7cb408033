"""JSON with a versioned schema: keys are only ever added within a version."""

from __future__ import annotations

import json
from dataclasses import asdict

from orchestrator import __version__
from orchestrator.adoption.discovery import Discovery

SCHEMA = "octo-tf/discovery/v1"


def render(discovery: Discovery, *, color: bool = False) -> str:
    """Render a discovery for programs; ``docs/schemas/discovery-v1.json`` describes it."""
    del color
    return json.dumps(
        {
            "schema": SCHEMA,
            "octo_tf_version": __version__,
            "account": {"id": discovery.account_id, "type": discovery.account_type},
            "found": [asdict(resource) for resource in discovery.resources],
            "notes": list(discovery.notes),
        },
        indent=2,
    )
