"""A JSON Schema of octo.yaml, for editors and for checks without octo-tf."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.config.load import EXTERNAL_ID_SOURCES
from orchestrator.model.registration import Registration


def schema(descriptions: Mapping[str, str]) -> dict[str, Any]:
    """The schema of octo.yaml (draft 2020-12).

    Args:
        descriptions: a sentence for each setting, by its dotted name.
    """
    document = Registration.model_json_schema()
    settings = document["properties"]
    for source in EXTERNAL_ID_SOURCES:
        settings[source] = {"type": "string", "minLength": 1}
    settings["account_id"] = {
        # Unquoted digits are a number to YAML; octo-tf takes them where no zero was lost.
        "anyOf": [
            {"type": "string", "pattern": "^[0-9]{12}$"},
            {"type": "integer", "minimum": 100_000_000_000, "maximum": 999_999_999_999},
        ]
    }
    for name, sentence in descriptions.items():
        section = _section(document, name.split(".")[:-1])
        setting = section.get(name.rpartition(".")[2])
        if setting is not None:
            setting["description"] = sentence
    document["required"] = ["account_id"]
    sources = [{"required": [source]} for source in EXTERNAL_ID_SOURCES]
    # One, or none: Octo itself has it, where there are credentials.
    document["oneOf"] = [*sources, {"not": {"anyOf": sources}}]
    document["title"] = "octo.yaml"
    document["description"] = "An AWS account to be registered with Octo."
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def _section(document: dict[str, Any], path: list[str]) -> dict[str, Any]:
    names = {"credentials": "Credentials", "assume_role": "AssumeRoleSettings"}
    found = document["$defs"][names[path[-1]]] if path else document
    properties: dict[str, Any] = found["properties"]
    return properties
