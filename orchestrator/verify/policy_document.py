"""Reads policy documents as IAM and S3 hand them out, and compares what they mean.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Statement = Mapping[str, Any]


def as_list(value: Any) -> list[Any]:
    """Policies write one thing or a list of things."""
    return list(value) if isinstance(value, list) else [value]


def document(value: Any) -> dict[str, Any]:
    """A document from JSON text, or as boto3 has decoded it already."""
    parsed = json.loads(value) if isinstance(value, (str, bytes)) else value
    return dict(parsed) if isinstance(parsed, Mapping) else {}


def statements(value: Any) -> list[dict[str, Any]]:
    """The document's statements, always as a list."""
    return [s for s in as_list(document(value).get("Statement", [])) if isinstance(s, dict)]


def same(one: Any, other: Any) -> bool:
    """Whether two documents mean the same: order, Sids and one-or-list do not matter."""
    return _canonical(one) == _canonical(other)


def _canonical(value: Any) -> list[str]:
    return sorted(json.dumps(_statement(s), sort_keys=True) for s in statements(value))


def _statement(statement: Statement) -> dict[str, Any]:
    return {key: _flat(value) for key, value in statement.items() if key != "Sid"}


def _flat(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _flat(inner) for key, inner in value.items()}
    return sorted(str(item) for item in as_list(value))


def explicit_actions(value: Any) -> list[str]:
    """The actions that the document's Allow statements spell out, without wildcards."""
    return sorted(
        {
            action
            for statement in statements(value)
            if statement.get("Effect") == "Allow"
            for action in as_list(statement.get("Action", []))
            if "*" not in action and "?" not in action
        }
    )
