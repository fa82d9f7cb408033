"""What policies let a principal do, before and after, compared action by action, place by place.

A place is a resource as some statement names it, or where two of them overlap. What is allowed
there depends on condition keys by ``Terms``; nothing is known of the keys themselves.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import translate
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from orchestrator.model.policy.classification import Access, access, expand
from orchestrator.model.policy.decision import Policy
from orchestrator.model.policy.document import Statement, as_list, statements
from orchestrator.model.policy.globs import includes, places
from orchestrator.model.policy.terms import ALWAYS, Terms, combined, conditions_of


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
        resource: as a policy names it, or where the resources of two statements overlap.
        terms: when. An external id has no value here.
        excepts: resources among them for which it does not hold.
    """

    actions: tuple[str, ...]
    patterns: tuple[str, ...]
    resource: str
    terms: Terms = ALWAYS
    excepts: tuple[str, ...] = ()

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
    sides = _layers(before), _layers(after)
    parsed = [s for side in sides for layer in side for s in layer]
    found: dict[str, list[_Found]] = defaultdict(list)
    for actions, touched in _alike(parsed):
        was, now = (side.about(touched) for side in sides)
        where = places(frozenset(chain.from_iterable(s.places for s in touched)))
        terms = {place: (was.terms(place), now.terms(place)) for place in where}
        for place, (then, afterwards) in terms.items():
            shown = then if afterwards.never else afterwards
            kind = _kind(then, afterwards)
            if not kind and afterwards.never and was.granted.terms(place).never:
                shown = now.granted.terms(place)
                kind = "" if shown.never else "bounded"
            if kind:
                excepts = _excepts(kind, place, terms)
                found[kind].append(_Found(actions, _Place(place, shown.redacted(), excepts)))
    written = {pattern for s in parsed for pattern in s.patterns}
    return Comparison(**{kind: _abilities(of_kind, written) for kind, of_kind in found.items()})


def allowed_by(document: Any) -> tuple[Ability, ...]:
    """List what one policy alone allows."""
    return compare(Powers(), Powers((Policy(document),))).gained


class _Parsed:
    """A statement, ready for many actions and resources."""

    def __init__(self, statement: Statement) -> None:
        self.is_allow = statement.get("Effect") == "Allow"
        excepts = "NotAction" in statement
        key = "NotAction" if excepts else "Action"
        self.named = [str(a) for a in as_list(statement.get(key, []))]
        self.patterns = ["*"] if excepts else self.named
        # Statements about the same actions share the test, which ``_alike`` then makes once.
        self.has = _test(frozenset(self.named), excepts)
        self.excepts_resources = "NotResource" in statement
        key = "NotResource" if self.excepts_resources else "Resource"
        self.resources = [str(r) for r in as_list(statement.get(key, "*"))]
        self.lines = conditions_of(statement)

    @property
    def places(self) -> list[str]:
        """The resources that it names, and those that it means."""
        return [*self.resources, "*"] if self.excepts_resources else self.resources

    def covers(self, place: str) -> bool:
        """Tell whether it is about resources; a policy's variables in them are but text."""
        return any(includes(r, place) for r in self.resources) is not self.excepts_resources


@dataclass(frozen=True)
class _Layers:
    """The statements of a principal's policies, and those of its boundary, if it has one."""

    policies: Sequence[_Parsed]
    boundary: Sequence[_Parsed] | None

    def __iter__(self) -> Iterator[Sequence[_Parsed]]:
        return iter([self.policies] if self.boundary is None else [self.policies, self.boundary])

    @property
    def granted(self) -> _Layers:
        """What its policies say, whatever the boundary limits."""
        return replace(self, boundary=None)

    def about(self, touched: Collection[_Parsed]) -> _Layers:
        """Return those among some only."""
        policies, *boundary = [[s for s in layer if s in touched] for layer in self]
        return _Layers(policies, boundary[0] if boundary else None)

    def terms(self, place: str) -> Terms:
        """Return when these allow an action, which all of them are about, on a resource."""
        layers = [[s for s in layer if s.covers(place)] for layer in self]
        return combined(
            tuple(frozenset(s.lines for s in layer if s.is_allow) for layer in layers),
            frozenset(s.lines for layer in layers for s in layer if not s.is_allow),
        )


@lru_cache
def _test(patterns: frozenset[str], excepts: bool) -> Callable[[str], bool]:
    """Return whether patterns mean an action, or all of them except it."""
    globs = (translate(p.lower().replace("[", "[[]")) for p in sorted(patterns))
    match = re.compile("|".join(globs) or "(?!)").match
    return lambda action: (match(action.lower()) is None) is excepts


class _Place(NamedTuple):
    resource: str
    terms: Terms
    excepts: tuple[str, ...]


class _Found(NamedTuple):
    actions: tuple[str, ...]
    place: _Place


def _layers(powers: Powers) -> _Layers:
    policies, boundary = (
        [_Parsed(s) for policy in layer or () for s in statements(policy.document)]
        for layer in (powers.policies, powers.boundary)
    )
    return _Layers(policies, None if powers.boundary is None else boundary)


def _alike(parsed: Sequence[_Parsed]) -> Iterator[tuple[tuple[str, ...], set[_Parsed]]]:
    """Group the actions that statements name by the statements that are about them.

    The decision depends on the action by these statements only, so one action of a group stands for
    all of them.
    """
    actions: set[str] = set()
    for pattern in {p for s in parsed if s.is_allow for p in s.patterns}:
        actions.update(expand(pattern) or [pattern])
    # Also those that no table has, and only a Deny or a NotAction names.
    actions.update(p for s in parsed for p in s.named if expand(p) in ((), (p,)))
    tests = list(dict.fromkeys(s.has for s in parsed))
    groups: dict[tuple[bool, ...], list[str]] = defaultdict(list)
    for action in sorted(actions):
        groups[tuple(test(action) for test in tests)].append(action)
    for met, alike in groups.items():
        about = {test for test, is_met in zip(tests, met, strict=True) if is_met}
        yield tuple(alike), {s for s in parsed if s.has in about}


def _kind(was: Terms, now: Terms) -> str:
    """Name the change of one request's terms by the attribute of ``Comparison``."""
    if was.never or now.never:
        return "" if was.never is now.never else "gained" if was.never else "lost"
    if now.imply(was):
        return "" if was.imply(now) else "limited"
    return "freed"


def _excepts(kind: str, place: str, terms: Mapping[str, tuple[Terms, Terms]]) -> tuple[str, ...]:
    """List the places within one that are not gained, or not lost, with it."""
    if kind not in ("gained", "lost"):
        return ()
    found = [
        other
        for other, (_, now) in terms.items()
        if now.never is (kind == "gained") and other != place and includes(place, other)
    ]
    return tuple(o for o in found if not any(w != o and includes(w, o) for w in found))


def _abilities(found: Iterable[_Found], written: set[str]) -> tuple[Ability, ...]:
    """Gather actions by service, resource and conditions; a wider resource includes others.

    Places (a resource under conditions) mostly share their actions: these are split and named once.
    """
    groups: dict[_Place, list[tuple[str, ...]]] = defaultdict(list)
    for actions, place in found:
        groups[place].append(actions)
    by_service = cache(_by_service)
    split = {place: by_service(tuple(groups[place])) for place in sorted(groups)}
    for place in split:
        for other in split:
            if _covers(other, place):
                wider = split[other]
                split[place] = {s: own - wider.get(s, set()) for s, own in split[place].items()}

    @cache
    def named(service: str, actions: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return tuple(sorted(actions)), _folded(service, actions, written)

    services = sorted({service for own in split.values() for service in own})
    return tuple(
        Ability(*named(service, shared), place.resource, place.terms, place.excepts)
        for service in services
        for place, own in split.items()
        if (shared := own.get(service))
    )


def _by_service(groups: Iterable[tuple[str, ...]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for action in chain.from_iterable(groups):
        found[action.partition(":")[0]].add(action)
    return {service: frozenset(actions) for service, actions in found.items()}


def _covers(wider: _Place, place: _Place) -> bool:
    """Tell whether what is allowed in one place is allowed in another one, too."""
    return (
        wider.resource != place.resource
        and wider.terms in (place.terms, ALWAYS)
        and includes(wider.resource, place.resource)
    )


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
