"""Sample requests: what to ask IAM's simulation, to see that what a policy allows is granted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.model.policy.classification import expand
from orchestrator.model.policy.document import allowed, as_list, statements


@dataclass(frozen=True)
class Sample:
    """A resource, and condition keys with the values by which a statement allows actions on it.

    ``resource`` is an ARN without wildcards, or ``*``.
    """

    resource: str
    context: tuple[tuple[str, str], ...]


def samples(policies: Mapping[str, Any]) -> dict[Sample, tuple[str, ...]]:
    """Return the actions that policies allow, sorted, by the request that they are allowed in.

    A pattern is the actions that AWS's table has for it: IAM simulates exact ones.

    Args:
        policies: documents by name.
    """
    found: dict[Sample, set[str]] = {}
    for document in policies.values():
        for statement in statements(document):
            patterns = allowed({"Statement": statement})
            actions = [action for pattern in patterns for action in expand(pattern)]
            context = tuple(sorted(_context(statement.get("Condition", {}))))
            for resource in as_list(statement.get("Resource", "*")):
                found.setdefault(Sample(_example(resource), context), set()).update(actions)
    return {sample: tuple(sorted(actions)) for sample, actions in found.items() if actions}


def _context(condition: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for keys in condition.values():
        for key, values in keys.items():
            yield key, str(as_list(values)[0])


def _example(pattern: str) -> str:
    """Return an ARN that matches a pattern; ``*`` stands for every resource."""
    if pattern == "*":
        return pattern
    *head, last = pattern.split(":", 5)
    return ":".join([*(part.replace("*", "us-east-1") for part in head), _named(last)])


def _named(pattern: str) -> str:
    return pattern.replace("*", "example").replace("?", "x")
