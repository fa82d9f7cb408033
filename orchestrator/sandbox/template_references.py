"""Find what the expressions of a CloudFormation template refer to.

Source: CloudFormation User Guide, "Intrinsic function reference", "Pseudo parameters reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}"
    for name in (
        *("AccountId", "NotificationARNs", "NoValue", "Partition", "Region"),
        *("StackId", "StackName", "URLSuffix"),
    )
)
IN_SUB = re.compile(r"\$\{(!?)([^${}]+)\}")


@dataclass(frozen=True)
class Reference:
    """A reference by ``Ref``, ``Fn::GetAtt`` or ``Fn::Sub``; ``attribute`` is empty for a value."""

    function: str
    name: str
    attribute: str = ""


def function_of(value: Any) -> tuple[str, Any] | None:
    """Get the function and argument of an expression; None if the value is none."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((name, argument),) = value.items()
    if (
        name.startswith("Fn::")
        or name == "Ref"
        or (name == "Condition" and isinstance(argument, str))
    ):
        return name, argument
    return None


def references(value: Any) -> Iterator[Reference]:
    """Yield the references in a value, in their order."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
        return
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        if name == "Ref" and isinstance(inner, str):
            yield Reference(name, inner)
        elif name == "Fn::GetAtt":
            parts = inner if isinstance(inner, list) else str(inner).split(".", 1)
            yield Reference(name, str(parts[0]), str(parts[-1]))
            yield from references(parts[1:])
        elif name == "Fn::Sub":
            yield from _in_sub(inner)
        else:
            yield from references(inner[1:] if name == "Fn::If" else inner)


def _in_sub(argument: Any) -> Iterator[Reference]:
    text, more = argument if isinstance(argument, list) else (argument, {})
    for literal, found in IN_SUB.findall(text):
        if not literal and found not in more:
            name, _, attribute = found.partition(".")
            yield Reference("Fn::Sub", name, attribute)
    yield from references(list(more.values()))


def expressions(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every function in a value with its argument, the outer ones first."""
    if isinstance(value, list):
        for item in value:
            yield from expressions(item)
    elif isinstance(value, dict):
        if found := function_of(value):
            yield found
        for inner in value.values():
            yield from expressions(inner)
