"""Stack policies: which resources an update of a stack may modify, replace or delete.

Source: CloudFormation User Guide, "Prevent updates to stack resources"; recorded events.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

_OPERATORS = ("StringEquals", "StringLike")


def denial(policy: str | None, logical_id: str, type_: str, action: str) -> str:
    """Say why a policy does not allow an update's action on a resource; empty if it does.

    A stack without a policy allows everything; with one, what no statement allows is denied.
    """
    statements = json.loads(policy or "{}").get("Statement", [])
    listed = [statements] if isinstance(statements, dict) else statements
    resource = f"LogicalResourceId/{logical_id}"
    allowed = not listed
    for number, statement in enumerate(listed, 1):
        if not _applies(statement, resource, type_, action):
            continue
        if statement["Effect"] == "Deny":
            return (
                f"Action denied by stack policy: Statement [#{number}] does not allow [{action}]"
                f" for resource [{resource}];"
            )
        allowed = True
    if allowed:
        return ""
    return f"Action not allowed by stack policy: [{action}] for resource [{resource}];"


def _applies(statement: Mapping[str, Any], resource: str, type_: str, action: str) -> bool:
    if "NotAction" in statement:
        of_action = not _matches(statement["NotAction"], action)
    else:
        of_action = _matches(statement["Action"], action)
    if "NotResource" in statement:
        of_resource = not _matches(statement["NotResource"], resource)
    else:
        of_resource = _matches(statement["Resource"], resource)
    conditions = statement.get("Condition", {})
    of_type = all(
        _matches(conditions[operator].get("ResourceType", "*"), type_)
        for operator in _OPERATORS
        if operator in conditions
    )
    return of_action and of_resource and of_type


def _matches(patterns: str | list[str], value: str) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(value, pattern) for pattern in listed)
