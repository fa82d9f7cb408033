"""Who may assume a role or use a resource by its policy, before and after.

Values of ``sts:ExternalId`` are compared, and never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.model.policy.abilities import (
    Comparison,
    Condition,
    Powers,
    compare,
    conditions_of,
    is_external_id,
)
from orchestrator.model.policy.conditions import UNKNOWN
from orchestrator.model.policy.decision import Layers, Policy, decide
from orchestrator.model.policy.document import as_list, statements
from orchestrator.model.policy.statement import Principal, Request, matching, named

_ACCOUNT = re.compile(r"(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?")
_ALL = Policy({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
_ASSUMING = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")


@dataclass(frozen=True)
class Admission:
    """That a principal may assume a role.

    Attributes:
        who: an account's id, an ARN, a service, an identity provider, or ``*`` for everybody.
        conditions: all must hold; empty for always. An external id has no value here.
    """

    who: str
    conditions: tuple[Condition, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The condition keys, sorted."""
        return tuple(sorted({condition.key for condition in self.conditions}))


@dataclass(frozen=True)
class TrustChange:
    """How the ways to assume a role change.

    Attributes:
        gained: principals that could not assume it before.
        lost: principals that cannot assume it afterwards.
        changed: principals with other conditions: those before, those afterwards.
        another_external_id: whether a principal must present another external id afterwards.
    """

    gained: tuple[Admission, ...] = ()
    lost: tuple[Admission, ...] = ()
    changed: tuple[tuple[Admission, Admission], ...] = ()
    another_external_id: bool = False

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.changed or self.another_external_id)

    @property
    def weakened(self) -> tuple[tuple[Admission, Admission], ...]:
        """The changed ones whose conditions afterwards do not include all of those before."""
        return tuple((a, b) for a, b in self.changed if not set(a.conditions) <= set(b.conditions))


def compare_trust(before: Mapping[str, Any], after: Mapping[str, Any]) -> TrustChange:
    """Compare two trust policies."""
    was, now = ({a.who: a for a in admissions(document)} for document in (before, after))
    ids = [_external_ids(document) for document in (before, after)]
    return TrustChange(
        tuple(now[who] for who in sorted(now.keys() - was.keys())),
        tuple(was[who] for who in sorted(was.keys() - now.keys())),
        tuple((was[w], now[w]) for w in sorted(was.keys() & now.keys()) if was[w] != now[w]),
        all(ids) and ids[0] != ids[1],
    )


def compare_by_principal(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, Comparison]:
    """Compare what a resource's policy, like a bucket's, lets each principal do; changes only."""
    found = {}
    for who, principal in sorted({**_principals(before), **_principals(after)}.items()):
        sides = [
            [s for s in statements(document) if named(s, principal) is not None]
            for document in (before, after)
        ]
        version = {"Version": "2012-10-17"}
        powers = [Powers((Policy({**version, "Statement": side}),)) for side in sides]
        if change := compare(*powers):
            found[who] = change
    return found


def admissions(document: Mapping[str, Any]) -> tuple[Admission, ...]:
    """List who may assume a role by its trust policy."""
    found = []
    for who, principal in sorted(_principals(document).items()):
        for action in _ASSUMING:
            request = Request(action, "*", principal, {"*": UNKNOWN})
            is_service = principal.kind != "AWS"
            layers = Layers(
                identity=None if is_service else [_ALL],
                resource=Policy(document),
                same_account=False,
            )
            if decide(request, layers).outcome != "denied":
                found.append(Admission(who, _conditions(document, request)))
                break
    return tuple(found)


def _conditions(document: Mapping[str, Any], request: Request) -> tuple[Condition, ...]:
    """List the conditions of the statements that admit a principal; none if one has none."""
    allows: list[list[Condition]] = []
    denies: list[list[Condition]] = []
    for statement in statements(document):
        if any(matching({"Statement": [statement]}, request, by_resource=True)):
            is_allow = statement.get("Effect") == "Allow"
            lines = conditions_of(statement, prefix="" if is_allow else "unless ")
            (allows if is_allow else denies).append([line.redacted() for line in lines])
    kept = denies if [] in allows else [*allows, *denies]
    return tuple(sorted({line for lines in kept for line in lines}))


def _external_ids(document: Mapping[str, Any]) -> set[tuple[str, ...]]:
    lines = (line for s in statements(document) for line in conditions_of(s))
    return {line.values for line in lines if is_external_id(line.key)}


def _principals(document: Mapping[str, Any]) -> dict[str, Principal]:
    """Return the principals that a trust policy names, by how they are shown."""
    found = {}
    for kind, name in _written(document):
        if name == "*":
            found["*"] = Principal.anonymous()
        elif kind == "AWS":
            account = _ACCOUNT.fullmatch(name)
            arn = f"arn:aws:iam::{account[1]}:root" if account else name
            levels = (frozenset({name, arn, account[1] if account else name}),)
            found[account[1] if account else name] = Principal(kind, levels)
        else:
            found[name] = Principal(kind, (frozenset({name}),))
    return found


def _written(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for statement in statements(document):
        if "NotPrincipal" in statement:
            yield "AWS", "*"
        who = statement.get("Principal", {})
        for kind, names in who.items() if isinstance(who, dict) else [("AWS", who)]:
            yield from ((kind, str(name)) for name in as_list(names))
