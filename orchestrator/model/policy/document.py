"""Policy documents as JSON: parse them, compare what they mean, list what they allow.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

Statement = Mapping[str, Any]


def as_list(value: Any) -> list[Any]:
    """Return a list for a policy element, which is one value or a list of values."""
    return list(value) if isinstance(value, list) else [value]


def document(value: Any) -> dict[str, Any]:
    """Return a document from JSON text or a decoded one; empty if it is no JSON object."""
    parsed = json.loads(value) if isinstance(value, (str, bytes)) else value
    return dict(parsed) if isinstance(parsed, Mapping) else {}


def statements(value: Any) -> list[dict[str, Any]]:
    """List the document's statements."""
    return [s for s in as_list(document(value).get("Statement", [])) if isinstance(s, dict)]


def equivalent(one: Any, other: Any) -> bool:
    """Compare two documents; order, Sids, and one value or a list of one make no difference."""
    return _canonical(one) == _canonical(other)


def _canonical(value: Any) -> list[str]:
    return sorted(json.dumps(_statement(s), sort_keys=True) for s in statements(value))


def _statement(statement: Statement) -> dict[str, Any]:
    return {key: _flat(value) for key, value in statement.items() if key != "Sid"}


def _flat(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _flat(inner) for key, inner in value.items()}
    return sorted(str(item) for item in as_list(value))


def allowed(value: Any) -> list[str]:
    """List the action patterns that a document allows; NotAction counts as ``*``."""
    found: set[str] = set()
    for statement in statements(value):
        if statement.get("Effect") == "Allow":
            found |= {str(action) for action in as_list(statement.get("Action", []))}
            if "NotAction" in statement:
                found.add("*")
    return sorted(found)


def matches(action: str, pattern: str) -> bool:
    """Match an action with IAM's wildcards ``*`` and ``?``, ignoring case."""
    return fnmatchcase(action.lower(), pattern.lower().replace("[", "[[]"))
