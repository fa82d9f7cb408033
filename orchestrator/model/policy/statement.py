"""Tell which statements of a policy apply to a request, and how they name its principal.

Sources, in the IAM User Guide: "AWS JSON policy elements: Principal", "... NotPrincipal",
"... Action", "... Resource".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from orchestrator.model.policy.conditions import Context, Value, holds
from orchestrator.model.policy.document import Statement, as_list, document, matches, statements
from orchestrator.model.policy.truth import FALSE, TRUE, Truth, every, some

_SESSION = re.compile(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([^/]+)/.+")


@dataclass(frozen=True)
class Principal:
    """Who makes a request.

    Attributes:
        kind: the key of the ``Principal`` element: ``AWS``, ``Service`` or ``Federated``.
        levels: the names by which a policy may mean it, from the widest to the narrowest: an
            account's (``arn:aws:iam::111122223333:root``, ``111122223333``), a role's or user's,
            a session's.
    """

    kind: str
    levels: tuple[frozenset[str], ...] = ()

    @classmethod
    def service(cls, name: str) -> Principal:
        """Return an AWS service's principal, like ``billingreports.amazonaws.com``."""
        return cls("Service", (frozenset({name}),))

    @classmethod
    def aws(cls, arn: str, *, role_arn: str = "") -> Principal:
        """Return the principal of a root user, a user, a role or a role's session.

        ``role_arn``: of a session's role, if it has a path, which the session's ARN lacks.
        """
        partition, account = arn.split(":")[1], arn.split(":")[4]
        root = f"arn:{partition}:iam::{account}:root"
        levels = [frozenset({root, account})]
        if session := _SESSION.fullmatch(arn):
            made = f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}"
            levels.append(frozenset({role_arn or made}))
        if arn != root:
            levels.append(frozenset({arn}))
        return cls("AWS", tuple(levels))

    @classmethod
    def anonymous(cls) -> Principal:
        """Return the principal of a request without credentials."""
        return cls("AWS")


@dataclass(frozen=True)
class Request:
    """A request that is to be decided.

    Attributes:
        action: like ``s3:PutObject``.
        resource: its ARN, or ``*`` for an action that has none.
        principal: who makes it.
        keys: its condition keys; a key that is not named is absent. ``{"*": UNKNOWN}`` says that
            nothing is known of the others. See ``conditions.Context``.
    """

    action: str
    resource: str
    principal: Principal
    keys: Mapping[str, Value] = field(default_factory=dict)

    @cached_property
    def context(self) -> Context:
        """The condition keys, ready for evaluation."""
        return Context(self.keys)


@dataclass(frozen=True)
class Match:
    """A statement, and whether it applies to a request.

    Attributes:
        statement: its name: ``statement`` with its Sid, or its number where it has none.
        effect: ``Allow`` or ``Deny``.
        applies: whether it applies.
        level: where a resource policy names the principal: an index of its ``levels``; -1 if it
            means everybody, None if the policy is not a resource policy.
        policy: the name of the policy that it is of.
        number: its place among the policy's statements, from 1.
    """

    statement: str
    effect: str
    applies: Truth
    level: int | None = None
    policy: str = ""
    number: int = 0

    def __str__(self) -> str:
        return f"{self.statement} of {self.policy}" if self.policy else self.statement


def matching(value: Any, request: Request, *, by_resource: bool, name: str = "") -> Iterator[Match]:
    """Yield the statements of a policy that apply to a request, or may.

    Args:
        value: the document, or its JSON text.
        by_resource: whether it is a resource's policy, whose statements name principals.
    """
    variables = document(value).get("Version") == "2012-10-17"
    for number, statement in enumerate(statements(value), start=1):
        level = named(statement, request.principal) if by_resource else None
        if by_resource and level is None:
            continue
        if not has_action(statement, request.action):
            continue
        applies = _has_resource(statement, request, variables=variables)
        if applies.value is not False:
            conditions = statement.get("Condition") or {}
            applies = every((applies, holds(conditions, request.context, variables=variables)))
        if applies.value is not False:
            title = f"statement {statement.get('Sid') or f'number {number}'}"
            yield Match(title, str(statement.get("Effect")), applies, level, name, number)


def has_action(statement: Statement, action: str) -> bool:
    """Tell whether a statement is about an action."""
    if "NotAction" in statement:
        return not any(matches(action, str(p)) for p in as_list(statement["NotAction"]))
    return any(matches(action, str(p)) for p in as_list(statement.get("Action", [])))


def _has_resource(statement: Statement, request: Request, *, variables: bool) -> Truth:
    def any_of(element: str) -> Truth:
        return some(_like(str(p), request, variables) for p in as_list(statement[element]))

    if "NotResource" in statement:
        return ~any_of("NotResource")
    # A trust policy has no resource: it is of one role.
    return any_of("Resource") if "Resource" in statement else TRUE


def _like(pattern: str, request: Request, variables: bool) -> Truth:
    """Match the request's resource, with wildcards and policy variables."""
    glob = request.context.expand(pattern, wildcards=True, variables=variables)
    if not isinstance(glob, str):
        return glob or FALSE
    return Truth(fnmatchcase(request.resource, glob))


def named(statement: Statement, principal: Principal) -> int | None:
    """Return the level at which a statement means the principal; -1 for everybody, or None."""
    if "NotPrincipal" in statement:
        # "You must also specify the account ARN of the not-denied principal": each level counts.
        excepted = statement["NotPrincipal"]
        exempt = _is_everybody(excepted) or (
            bool(principal.levels)
            and all(level & _names(excepted, principal.kind) for level in principal.levels)
        )
        return None if exempt else -1
    named = statement.get("Principal")
    if _is_everybody(named):
        return -1
    names = _names(named, principal.kind)
    levels = [index for index, level in enumerate(principal.levels) if level & names]
    return max(levels, default=None)


def _is_everybody(element: Any) -> bool:
    """Tell whether it is ``"*"`` or ``{"AWS": "*"}``, which "are equivalent"."""
    return element == "*" or (
        isinstance(element, Mapping) and "*" in as_list(element.get("AWS", []))
    )


def _names(element: Any, kind: str) -> set[str]:
    if not isinstance(element, Mapping):
        return set()
    return {str(name) for name in as_list(element.get(kind, []))}
