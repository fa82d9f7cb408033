"""Who may assume a role or use a resource by its policy, before and after.

Values of ``sts:ExternalId`` are compared, and never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.model.partition import PARTITIONS
from orchestrator.model.policy.abilities import Comparison, Powers, compare
from orchestrator.model.policy.conditions import UNKNOWN
from orchestrator.model.policy.decision import Policy
from orchestrator.model.policy.document import as_list, statements
from orchestrator.model.policy.statement import Principal, Request, matching, named
from orchestrator.model.policy.terms import (
    ALWAYS,
    Lines,
    Terms,
    combined,
    conditions_of,
    is_external_id,
)

_ACCOUNT = re.compile(r"(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?")
_OF_ACCOUNT = re.compile(r"arn:[\w-]+:(?:iam|sts)::(\d{12}):.+")
_ASSUMING = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
# What whoever assumes the role may do with the session besides.
_BESIDES = ("sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext")


@dataclass(frozen=True)
class Admission:
    """That a principal may assume a role, or may do more with its session.

    Attributes:
        who: an account's id, an ARN, a service, an identity provider, or ``*`` for everybody.
        terms: when. An external id has no value here.
        action: what it may do besides assuming the role, like ``sts:TagSession``; else empty.
    """

    who: str
    terms: Terms = ALWAYS
    action: str = ""


@dataclass(frozen=True)
class TrustChange:
    """How the ways to assume a role change.

    Attributes:
        gained: principals that could not assume it before.
        lost: principals that cannot assume it afterwards.
        changed: principals with other conditions: those before, those afterwards.
        weakened: the changed ones that may now assume the role without meeting a condition that was
            required before.
        another_external_id: whether a principal must present another external id afterwards, or may
            present one more.
    """

    gained: tuple[Admission, ...] = ()
    lost: tuple[Admission, ...] = ()
    changed: tuple[tuple[Admission, Admission], ...] = ()
    weakened: tuple[tuple[Admission, Admission], ...] = ()
    another_external_id: bool = False

    def __bool__(self) -> bool:
        return bool(self.gained or self.lost or self.changed or self.another_external_id)


def compare_trust(before: Mapping[str, Any], after: Mapping[str, Any]) -> TrustChange:
    """Compare two trust policies.

    Which external ids they ask for is compared apart: settings name them.
    """
    principals = {**_principals(before), **_principals(after)}
    gained: list[Admission] = []
    lost: list[Admission] = []
    changed: list[tuple[Admission, Admission]] = []
    weakened: list[tuple[Admission, Admission]] = []
    for who, principal in sorted(principals.items()):
        for action in (*_ASSUMING, *_BESIDES):
            was, now = (_terms(document, principal, action) for document in (before, after))
            if was == now:
                continue
            then, afterwards = (
                Admission(who, terms.redacted(), action if action in _BESIDES else "")
                for terms in (was, now)
            )
            was, now = was.any_external_id(), now.any_external_id()
            if was.never:
                gained += [afterwards] if who not in (a.who for a in gained) else []
            elif now.never:
                lost += [then] if who not in (a.who for a in lost) else []
            elif not (now.imply(was) and was.imply(now)):
                changed.append((then, afterwards))
                weakened += [] if now.imply(was) else [(then, afterwards)]
    ids = [_external_ids(document) for document in (before, after)]
    return TrustChange(
        tuple(gained),
        tuple(lost),
        tuple(dict.fromkeys(changed)),
        tuple(dict.fromkeys(weakened)),
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


def _terms(document: Mapping[str, Any], principal: Principal, action: str) -> Terms:
    """Return when a principal may do an action with a role by its trust policy."""
    request = Request(action, "*", principal, {"*": UNKNOWN})
    lines: dict[str, set[Lines]] = {"Allow": set(), "Deny": set()}
    for statement in statements(document):
        if any(matching({"Statement": [statement]}, request, by_resource=True)):
            lines[str(statement.get("Effect"))].add(conditions_of(statement))
    return combined((frozenset(lines["Allow"]),), frozenset(lines["Deny"]))


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
            of_account = account or _OF_ACCOUNT.fullmatch(name)
            levels = [_account(of_account[1])] if of_account else []
            levels += [] if account else [frozenset({name})]
            found[account[1] if account else name] = Principal(kind, tuple(levels))
        else:
            found[name] = Principal(kind, (frozenset({name}),))
    return found


def _account(account_id: str) -> frozenset[str]:
    """Return the names by which a policy may mean an account, of whatever partition."""
    roots = (f"arn:{partition}:iam::{account_id}:root" for partition in PARTITIONS)
    return frozenset({account_id, *roots})


def _written(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for statement in statements(document):
        if "NotPrincipal" in statement:
            yield "AWS", "*"
        who = statement.get("Principal", {})
        for kind, names in who.items() if isinstance(who, dict) else [("AWS", who)]:
            yield from ((kind, str(name)) for name in as_list(names))
