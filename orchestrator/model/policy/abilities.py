"""What policies let a principal do, before and after, compared request by request.

A request is an action on a resource as some statement names it, with nothing known of the
condition keys. So "may" is said only where ``decide`` says so; "under a condition" is an outcome
that depends on condition keys.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from orchestrator.model.policy.classification import Access, access, expand
from orchestrator.model.policy.conditions import UNKNOWN
from orchestrator.model.policy.decision import Decision, Layers, Policy, decide
from orchestrator.model.policy.document import as_list, statements
from orchestrator.model.policy.statement import Principal, Request


class Condition(NamedTuple):
    """One line of a Condition element; ``values`` are sorted."""

    operator: str
    key: str
    values: tuple[str, ...]

    def redacted(self) -> Condition:
        """Return it without values if they are external ids, which are never shown."""
        return self._replace(values=()) if is_external_id(self.key) else self


@dataclass(frozen=True)
class Powers:
    """What decides what a principal may do: its policies and its permissions boundary.

    ``boundary``: None without one. One that could not be read is left out by the caller, who says
    so.
    """

    policies: tuple[Policy, ...] = ()
    boundary: tuple[Policy, ...] | None = None


@dataclass(frozen=True)
class Ability:
    """Actions of one service that a principal may do on a resource.

    Attributes:
        actions: their full names, sorted.
        patterns: the same as policies write them: a pattern where all of its actions are meant.
        resource: as a policy names it.
        conditions: the conditions under which, of the statements that grant it; empty for always.
            An external id has no value here.
    """

    actions: tuple[str, ...]
    patterns: tuple[str, ...]
    resource: str
    conditions: tuple[Condition, ...] = ()

    @property
    def service(self) -> str:
        """The service's prefix, like ``s3``."""
        return self.actions[0].partition(":")[0]

    @property
    def by_access(self) -> Mapping[Access, tuple[str, ...]]:
        """The actions by what they do, the most first."""
        return _by_access(self.actions)

    @property
    def changing(self) -> tuple[str, ...]:
        """The patterns, and actions, that change something or may."""
        return tuple(p for p in self.patterns if any(access(a).changes for a in expand(p) or [p]))


@lru_cache(maxsize=1024)  # many resources share their actions
def _by_access(actions: tuple[str, ...]) -> Mapping[Access, tuple[str, ...]]:
    found: dict[Access, list[str]] = defaultdict(list)
    for action in actions:
        found[access(action)].append(action)
    return {level: tuple(found[level]) for level in reversed(Access) if level in found}


@dataclass(frozen=True)
class Comparison:
    """How what a principal may do changes.

    Attributes:
        gained: what it may do only afterwards.
        lost: what it may do only before.
        freed: what needed a condition, or another one; the conditions are those afterwards.
        limited: what needs a condition afterwards that it did not need before.
        bounded: what its policies grant afterwards and did not before, and its boundary forbids.
    """

    gained: tuple[Ability, ...] = ()
    lost: tuple[Ability, ...] = ()
    freed: tuple[Ability, ...] = ()
    limited: tuple[Ability, ...] = ()
    bounded: tuple[Ability, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.freed or self.limited or self.bounded)


def compare(before: Powers, after: Powers) -> Comparison:
    """Compare what two sets of policies allow."""
    sides = _parsed(before), _parsed(after)
    found: dict[str, list[_Found]] = defaultdict(list)
    for actions, touched in _alike([*sides[0], *sides[1]]):
        for resource in sorted({resource for s in touched for resource in s.resources}):
            asked = actions[0], resource
            conditions = [_conditions(side, *asked) for side in sides]
            kind = _kind(judge(before, *asked), judge(after, *asked), *conditions)
            if kind == "" and after.boundary is not None:
                granted = [judge(Powers(p.policies), *asked).outcome for p in (before, after)]
                is_denied = judge(after, *asked).outcome == "denied"
                if is_denied and granted[0] == "denied" != granted[1]:
                    kind = "bounded"
            if kind:
                under = conditions[0] if kind == "lost" else conditions[1]
                shown = tuple(condition.redacted() for condition in under)
                found[kind].append(_Found(actions, resource, shown))
    written = {pattern for side in sides for s in side for pattern in s.patterns}
    return Comparison(**{kind: _abilities(of_kind, written) for kind, of_kind in found.items()})


def allowed_by(document: Any) -> tuple[Ability, ...]:
    """List what one policy alone allows."""
    return compare(Powers(), Powers((Policy(document),))).gained


def is_external_id(key: str) -> bool:
    """Tell whether a condition key's values are external ids."""
    return key.lower() == "sts:externalid"


def judge(powers: Powers, action: str, resource: str) -> Decision:
    """Decide whether a principal with these policies may do an action, whatever the conditions."""
    return decide(
        Request(action, resource, Principal.anonymous(), {"*": UNKNOWN}),
        Layers(identity=powers.policies, boundary=powers.boundary),
    )


def conditions_of(statement: Mapping[str, Any], *, prefix: str = "") -> tuple[Condition, ...]:
    """List the lines of a statement's Condition element, sorted."""
    return tuple(
        sorted(
            Condition(prefix + operator, key, tuple(sorted(map(str, as_list(values)))))
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, values in keys.items()
        )
    )


class _Parsed:
    """A statement, ready for many actions."""

    def __init__(self, statement: Mapping[str, Any]) -> None:
        self.is_allow = statement.get("Effect") == "Allow"
        excepts = "NotAction" in statement
        key = "NotAction" if excepts else "Action"
        self.patterns = [str(a) for a in as_list(statement.get(key, []))]
        # Statements about the same actions share the test, which ``_alike`` then makes once.
        self.has = _test(frozenset(self.patterns), excepts)
        # NotResource means everything else: that is said of "*".
        self.resources = [str(r) for r in as_list(statement.get("Resource", "*"))]
        self.conditions = conditions_of(statement, prefix="" if self.is_allow else "unless ")
        if excepts:
            self.patterns = ["*"]

    def covers(self, resource: str) -> bool:
        return any(fnmatchcase(resource, pattern) for pattern in self.resources)


@lru_cache
def _test(patterns: frozenset[str], excepts: bool) -> Callable[[str], bool]:
    """Return whether patterns mean an action, or all of them except it."""
    globs = (translate(p.lower().replace("[", "[[]")) for p in sorted(patterns))
    match = re.compile("|".join(globs) or "(?!)").match
    return lambda action: (match(action.lower()) is None) is excepts


_Place = tuple[str, tuple[Condition, ...]]  # a resource, and the conditions


class _Found(NamedTuple):
    actions: tuple[str, ...]
    resource: str
    conditions: tuple[Condition, ...]


def _parsed(powers: Powers) -> list[_Parsed]:
    policies = (*powers.policies, *(powers.boundary or ()))
    return [_Parsed(s) for policy in policies for s in statements(policy.document)]


def _alike(parsed: Sequence[_Parsed]) -> Iterator[tuple[tuple[str, ...], list[_Parsed]]]:
    """Group the actions that statements name by the statements that are about them.

    The decision depends on the action by these statements only, so one action of a group stands for
    all of them.
    """
    actions: set[str] = set()
    for pattern in {p for s in parsed if s.is_allow for p in s.patterns}:
        actions.update(expand(pattern) or [pattern])
    tests = list(dict.fromkeys(s.has for s in parsed))
    groups: dict[tuple[bool, ...], list[str]] = defaultdict(list)
    for action in sorted(actions):
        groups[tuple(test(action) for test in tests)].append(action)
    for met, alike in groups.items():
        about = {test for test, is_met in zip(tests, met, strict=True) if is_met}
        yield tuple(alike), [s for s in parsed if s.has in about]


def _conditions(side: Iterable[_Parsed], action: str, resource: str) -> tuple[Condition, ...]:
    about = [s for s in side if s.has(action) and s.covers(resource)]
    if any(s.is_allow and not s.conditions for s in about):
        about = [s for s in about if not s.is_allow]
    return tuple(sorted({condition for s in about for condition in s.conditions}))


def _kind(
    was: Decision, now: Decision, had: tuple[Condition, ...], has: tuple[Condition, ...]
) -> str:
    """Name the change of one request's outcome by the attribute of ``Comparison``."""
    if was.outcome == now.outcome and (was.outcome != "unknown" or had == has):
        return ""
    if was.outcome == "denied":
        return "gained"
    if now.outcome == "denied":
        return "lost"
    if now.outcome == "allowed":
        return "freed"
    return "limited" if was.outcome == "allowed" or set(had) < set(has) else "freed"


def _abilities(found: Iterable[_Found], written: set[str]) -> tuple[Ability, ...]:
    """Gather actions by service, resource and conditions; a wider resource includes others.

    Places (a resource under conditions) mostly share their actions: these are split and named once.
    """
    groups: dict[_Place, list[tuple[str, ...]]] = defaultdict(list)
    for actions, resource, conditions in found:
        groups[resource, conditions].append(actions)
    split = cache(_by_service)
    places = {place: split(tuple(groups[place])) for place in sorted(groups)}
    for place in places:
        for other in places:
            if _covers(other, place):
                wider = places[other]
                places[place] = {s: own - wider.get(s, set()) for s, own in places[place].items()}

    @cache
    def named(service: str, actions: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(sorted(actions)), _folded(service, actions, written)

    services = sorted({service for own in places.values() for service in own})
    return tuple(
        Ability(*named(service, shared), resource, conditions)
        for service in services
        for (resource, conditions), own in places.items()
        if (shared := own.get(service))
    )


def _by_service(groups: Iterable[tuple[str, ...]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for action in chain.from_iterable(groups):
        found[action.partition(":")[0]].add(action)
    return {service: frozenset(actions) for service, actions in found.items()}


def _covers(wider: _Place, place: _Place) -> bool:
    """Tell whether what is allowed in one place is allowed in another one, too."""
    (pattern, conditions), (resource, own) = wider, place
    return pattern != resource and conditions in (own, ()) and fnmatchcase(resource, pattern)


def _folded(service: str, actions: frozenset[str], written: set[str]) -> tuple[str, ...]:
    """Name actions as policies write them: by a pattern where all of its actions are among them."""
    rest, named = set(actions), []
    own = {f"{service}:*"} if "*" in written else set()
    for pattern in sorted({*written, *own}, key=len):
        if ("*" in pattern or "?" in pattern) and pattern != "*":
            meant = set(expand(pattern))
            if meant and meant <= actions and meant & rest:
                named.append(pattern)
                rest -= meant
    return tuple(sorted([*named, *rest]))
