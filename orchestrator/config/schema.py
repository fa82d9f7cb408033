"""A JSON Schema of octo.yaml, for editors and for checks without octo-tf."""

from __future__ import annotations

from typing import Any

from orchestrator.model.registration import EXTERNAL_ID_SOURCES, ExternalIdSource, Registration


def schema() -> dict[str, Any]:
    """Return the schema of octo.yaml (draft 2020-12); each setting describes itself."""
    document = Registration.model_json_schema()
    document["properties"] |= ExternalIdSource.model_json_schema()["properties"]
    document["required"] = ["account_id"]
    sources = [{"required": [source]} for source in EXTERNAL_ID_SOURCES]
    # One, or none: Octo itself has it, where there are credentials.
    document["oneOf"] = [*sources, {"not": {"anyOf": sources}}]
    document["title"] = "octo.yaml"
    document["description"] = "An AWS account to be registered with Octo."
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}
