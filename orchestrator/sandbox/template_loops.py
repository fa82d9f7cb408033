"""Expand the loops of the transform AWS::LanguageExtensions.

Source: CloudFormation Template Reference, Fn::ForEach.
"""

from __future__ import annotations

import re
from typing import Any

_LOOP = "Fn::ForEach::"


def expand(value: Any) -> Any:
    """Replace the loops of a template by what they yield.

    Raises:
        ValueError: a loop is malformed, or its items are not a list of strings in the template.
    """
    if isinstance(value, list):
        return [expand(item) for item in value]
    if not isinstance(value, dict):
        return value
    expanded: dict[str, Any] = {}
    for name, inner in value.items():
        expanded.update(_yielded(inner) if str(name).startswith(_LOOP) else {name: expand(inner)})
    return expanded


def _yielded(loop: Any) -> dict[str, Any]:
    if not isinstance(loop, list) or len(loop) != 3 or not isinstance(loop[2], dict):
        raise ValueError("Fn::ForEach layout is incorrect")
    identifier, items, body = loop
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError("the sandbox expands Fn::ForEach over the strings of a list only")
    made: dict[str, Any] = {}
    for item in items:
        made.update(expand(_with_item(body, str(identifier), item)))
    return made


def _with_item(value: Any, identifier: str, item: str) -> Any:
    """Put an item in place of the loop's identifier: ``${X}``, ``&{X}`` (alphanumeric), Ref."""
    if isinstance(value, list):
        return [_with_item(inner, identifier, item) for inner in value]
    if isinstance(value, dict):
        if value == {"Ref": identifier}:
            return item
        return {
            _with_item(name, identifier, item): _with_item(inner, identifier, item)
            for name, inner in value.items()
        }
    if not isinstance(value, str):
        return value
    plain = re.sub(r"[^A-Za-z0-9]", "", item)
    return value.replace(f"${{{identifier}}}", item).replace(f"&{{{identifier}}}", plain)
