"""Drift: how a stack's resources differ from its template.

Source: CloudFormation User Guide, "Detect unmanaged configuration changes with drift detection";
API Reference, StackResourceDrift.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from orchestrator.sandbox import resources
from orchestrator.sandbox.stacks import Resource, Stack


@dataclass(frozen=True)
class ResourceDrift:
    """The drift of a resource; ``differences`` by property: what is expected, what is there."""

    resource: Resource
    status: str
    expected: dict[str, Any] = field(default_factory=dict)
    actual: dict[str, Any] = field(default_factory=dict)
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)


def of_resources(stack: Stack) -> Iterator[ResourceDrift]:
    """Yield the drift of each resource whose type can be checked."""
    for resource in stack.resources.values():
        known = resources.find().get(resource.type)
        read = known.read if known else None
        if read is None or resource.status == "DELETE_COMPLETE":
            continue
        actual = read(stack.actor, resource.physical_id)
        if actual is None:
            yield ResourceDrift(resource, "DELETED", dict(resource.properties))
            continue
        expected = {name: resource.properties.get(name) for name in actual}
        differences = {
            name: (expected[name], value)
            for name, value in actual.items()
            if (expected[name] or None) != (value or None)
        }
        status = "MODIFIED" if differences else "IN_SYNC"
        yield ResourceDrift(resource, status, expected, dict(actual), differences)


def of_stack(stack: Stack) -> str:
    """Get the drift status of a stack: DRIFTED or IN_SYNC."""
    statuses = {found.status for found in of_resources(stack)}
    return "DRIFTED" if statuses - {"IN_SYNC"} else "IN_SYNC"
