"""Render how the permissions of roles differ, for programs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

from orchestrator.model.effects import RoleChange
from orchestrator.model.policy.abilities import Ability, Comparison
from orchestrator.model.policy.classification import Access, expand
from orchestrator.report.plan.json_format import place, role

SCHEMA = "octo-tf/permissions/v1"


def render_json(changes: Collection[RoleChange]) -> str:
    """Render the differences (docs/schemas/permissions-v1.json).

    Actions are patterns as the policies write them, once for all resources on which they are
    allowed, with counts of what they do: every action on every resource would be gigabytes.
    """
    roles = [role(change, _comparison) for change in changes]
    return json.dumps({"schema": SCHEMA, "roles": roles}, indent=2)


def _comparison(change: Comparison) -> dict[str, Any]:
    return {field.name: _abilities(getattr(change, field.name)) for field in fields(change)}


def _abilities(abilities: Sequence[Ability]) -> list[dict[str, Any]]:
    """Gather the abilities of all services in a place, and the places of the same actions."""
    by_place: dict[tuple[Any, ...], list[Ability]] = defaultdict(list)
    for one in abilities:
        by_place[one.resource, one.terms, one.excepts].append(one)
    found: dict[tuple[tuple[str, ...], ...], list[list[Ability]]] = defaultdict(list)
    for of_place in by_place.values():
        found[tuple(one.actions for one in of_place)].append(of_place)
    return [
        {
            "patterns": _patterns(alike[0]),
            "counts": _counts(alike[0]),
            "places": [place(of_place[0]) for of_place in alike],
        }
        for alike in found.values()
    ]


def _patterns(abilities: Sequence[Ability]) -> list[str]:
    patterns = [pattern for one in abilities for pattern in one.patterns]
    every = frozenset(expand("*"))
    if not every.issubset(action for one in abilities for action in one.actions):
        return patterns
    return ["*", *(pattern for pattern in patterns if every.isdisjoint(expand(pattern)))]


def _counts(abilities: Sequence[Ability]) -> dict[str, int]:
    """Count the actions by what they do, the most first."""
    counts = {
        level.value: sum(len(one.by_access.get(level, ())) for one in abilities)
        for level in reversed(Access)
    }
    return {level: count for level, count in counts.items() if count}
