"""Convert abilities to JSON, whose size depends on the text of policies, not on what they match.

Actions are patterns as the policies write them, once for all resources on which they are allowed,
with counts of what they do: every action of AWS on every resource would be hundreds of megabytes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from orchestrator.model.policy.abilities import Ability, Comparison
from orchestrator.model.policy.classification import Access, expand
from orchestrator.model.policy.terms import Terms


def comparison(change: Comparison) -> dict[str, Any]:
    """Return the abilities gained, lost or changed, in the form that the JSON schemas define."""
    return {field.name: abilities(getattr(change, field.name)) for field in fields(change)}


def abilities(given: Sequence[Ability]) -> list[dict[str, Any]]:
    """Group abilities: merge those of a resource, then the resources with the same actions."""
    by_place: dict[tuple[Any, ...], list[Ability]] = defaultdict(list)
    for one in given:
        by_place[one.resource, one.terms, one.excepts].append(one)
    found: dict[tuple[tuple[str, ...], ...], list[list[Ability]]] = defaultdict(list)
    for of_place in by_place.values():
        found[tuple(one.actions for one in of_place)].append(of_place)
    return [
        {
            "patterns": _patterns(alike[0]),
            "counts": _counts(alike[0]),
            "places": [_place(of_place[0]) for of_place in alike],
        }
        for alike in found.values()
    ]


def conditions(terms: Terms) -> dict[str, Any]:
    """Return when something is allowed, as the schemas have it."""
    return {
        "conditions": [line._asdict() for line in terms.lines],
        **{
            name: [[line._asdict() for line in lines] for lines in ways]
            for name, ways in terms._asdict().items()
        },
    }


def _place(ability: Ability) -> dict[str, Any]:
    excepts = list(ability.excepts)
    return {"resource": ability.resource, "excepts": excepts, **conditions(ability.terms)}


def _patterns(given: Sequence[Ability]) -> list[str]:
    patterns = [pattern for one in given for pattern in one.patterns]
    every = frozenset(expand("*"))
    if not every.issubset(action for one in given for action in one.actions):
        return patterns
    return ["*", *(pattern for pattern in patterns if every.isdisjoint(expand(pattern)))]


def _counts(given: Sequence[Ability]) -> dict[str, int]:
    """Count the actions by what they do, the most first."""
    counts = {
        level.value: sum(len(one.by_access.get(level, ())) for one in given)
        for level in reversed(Access)
    }
    return {level: count for level, count in counts.items() if count}
