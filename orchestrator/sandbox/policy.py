"""Evaluate IAM policies by AWS's rules.

Sources: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements" and "Set operators
for multivalued context keys". Nothing of it is shared with the evaluation outside the sandbox:
a test compares the two, so that no mistake is in both. An operator that is not known here does
not match, so an Allow with it does not allow.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

Decision = Literal["allowed", "explicitDeny", "implicitDeny"]
Document = Mapping[str, Any]


@dataclass(frozen=True)
class AccessRequest:
    """A request whose authorization is decided.

    Attributes:
        action: like ``s3:GetObject``.
        resource: an ARN, or ``*`` for operations without a resource.
        context: condition keys (any case) and their values: one, or a list of a multivalued key.
        principals: the names of the caller: ``{"AWS": [...]}`` or ``{"Service": [...]}``;
            only resource policies use them. Of ``AWS``: the caller's ARN, a session's role, and
            the account by its root's ARN and its id.
    """

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    principals: Mapping[str, Iterable[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicySet:
    """The policies that decide a request together.

    Attributes:
        identity: the caller's own; None for a service, which has none.
        boundary: its permissions boundary; empty without one.
        session: the session's own policies; empty without them.
        resource: the resource's policy; None without one.
        scps: the organization's SCPs, level by level.
        rcps: the same of its RCPs.
        resource_decides: whether the resource's policy must allow, as a key's and a role's must.
    """

    identity: list[Document] | None = None
    boundary: list[Document] = field(default_factory=list)
    resource: Document | None = None
    session: list[Document] = field(default_factory=list)
    scps: list[list[Document]] = field(default_factory=list)
    rcps: list[list[Document]] = field(default_factory=list)
    resource_decides: bool = False


def parse_policy(text: str | bytes) -> Document:
    """Parse a policy document from JSON.

    Raises:
        ValueError: it is not a JSON object with statements.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("not a policy document")
    return document


def decide(
    documents: Iterable[Document], request: AccessRequest, *, resource_policy: bool = False
) -> Decision:
    """Decide a request by all documents together; an explicit deny wins.

    With ``resource_policy`` a statement applies only if its principal names the caller.
    """
    allowed = False
    for document in documents:
        variables = document.get("Version") == "2012-10-17"
        for statement in as_list(document.get("Statement", [])):
            if not _applies(statement, request, resource_policy, variables):
                continue
            if statement.get("Effect") == "Deny":
                return "explicitDeny"
            allowed = allowed or statement.get("Effect") == "Allow"
    return "allowed" if allowed else "implicitDeny"


def decide_all(policies: PolicySet, request: AccessRequest, *, same_account: bool) -> Decision:
    """Decide a request in the order of AWS's flow chart: denies, organization, resource, caller."""
    resource = [policies.resource] if policies.resource else []
    decisions = [
        decide(policies.identity or [], request),
        decide(policies.boundary, request),
        decide(policies.session, request),
        *(decide(level, request) for level in policies.scps),
        *(decide(level, request, resource_policy=True) for level in policies.rcps),
        decide(resource, request, resource_policy=True),
    ]
    if "explicitDeny" in decisions:
        return "explicitDeny"
    by_identity, by_boundary, by_session, *by_organization, by_resource = decisions
    if set(by_organization) - {"allowed"}:
        return "implicitDeny"
    if policies.identity is None:
        return by_resource
    bounded = (not policies.boundary or by_boundary == "allowed") and (
        not policies.session or by_session == "allowed"
    )
    own = by_identity == "allowed" and bounded
    if not same_account:
        return "allowed" if own and by_resource == "allowed" else "implicitDeny"
    # Within the account, an Allow that names the caller is enough; one that names the account
    # leaves it to the caller's own policies; a boundary does not limit one for a user or session.
    narrow, rest = _names_by_width(request)
    allows = [_allows_of(document) for document in resource]
    allowed = (not policies.resource_decides and own) or any(
        decide(allows, _named(request, names), resource_policy=True) == "allowed" and enough
        for names, enough in (
            (narrow, True),
            ([n for n in rest if ":role/" in n], bounded),
            ([], bounded),  # everybody
            ([n for n in rest if ":role/" not in n], own and policies.resource_decides),
        )
    )
    return "allowed" if allowed else "implicitDeny"


def _allows_of(document: Document) -> Document:
    statements = [s for s in as_list(document["Statement"]) if s.get("Effect") == "Allow"]
    return {**document, "Statement": statements}


def _names_by_width(request: AccessRequest) -> tuple[list[str], list[str]]:
    """Split the caller's names: a user's or session's own (or the root user's), and the others."""
    names = list(request.principals.get("AWS", []))
    if names and (names[0].endswith(":root") or names[0].isdigit()):
        return names, []
    narrow = [] if not names or ":role/" in names[0] else names[:1]
    return narrow, names[len(narrow) :]


def _named(request: AccessRequest, names: list[str]) -> AccessRequest:
    return AccessRequest(request.action, request.resource, request.context, {"AWS": names})


def as_list(value: Any) -> list[Any]:
    """Wrap a single value: policies allow one value or a list of values."""
    return value if isinstance(value, list) else [value]


def _applies(
    statement: Document, request: AccessRequest, resource_policy: bool, variables: bool
) -> bool:
    if resource_policy and not _names(statement, request):
        return False
    values = {key.lower(): value for key, value in request.context.items()} if variables else None
    return (
        _matches(statement, "Action", request.action.lower(), lambda p: p.lower())
        and _matches(statement, "Resource", request.resource, lambda p: _filled(p, values))
        and _conditions_hold(statement.get("Condition", {}), request, values)
    )


def _matches(
    statement: Document, element: str, value: str, prepared: Callable[[str], str | None]
) -> bool:
    def any_of(patterns: Any) -> bool:
        ready = [prepared(str(pattern)) for pattern in as_list(patterns)]
        return any(pattern is not None and like(pattern, value) for pattern in ready)

    if f"Not{element}" in statement:
        return not any_of(statement[f"Not{element}"])
    return element == "Resource" if element not in statement else any_of(statement[element])


# Stand-ins for characters of a variable's value, which are no wildcards.
_LITERAL = {"*": "\ue000", "?": "\ue001"}


def _filled(text: str, values: Mapping[str, str | list[str]] | None) -> str | None:
    """Put the values of policy variables into a text; None if one has no value.

    ``values``: the request's context; None in policies that have no variables.
    """
    if values is None:
        return text
    filled = ""
    for part in re.split(r"(\$\{[^}]*\})", text):
        if part.startswith("${"):
            name, _, default = (piece.strip() for piece in part[2:-1].partition(","))
            value = name if name in ("*", "?", "$") else values.get(name.lower())
            if not isinstance(value, str):
                if not default:
                    return None
                value = default.strip("'")
            part = "".join(_LITERAL.get(character, character) for character in value)
        filled += part
    return filled


def like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Match IAM's wildcards: ``*`` is any characters, ``?`` is one; brackets are literal."""
    for character, stand_in in _LITERAL.items():
        pattern = pattern.replace("[", "[[]") if character == "*" else pattern
        pattern = pattern.replace(stand_in, f"[{character}]")
    if ignore_case:
        pattern, value = pattern.lower(), value.lower()
    return fnmatch.fnmatchcase(value, pattern)


def _names(statement: Document, request: AccessRequest) -> bool:
    """Whether a statement of a resource policy means the caller."""
    if "NotPrincipal" not in statement:
        return _principal_matches(statement.get("Principal", {}), request)
    excepted = statement["NotPrincipal"]
    if _is_everybody(excepted):
        return False
    # "You must also specify the account ARN of the not-denied principal", and a session's role:
    # only who is excepted by each of its names is excepted.
    for kind, names in request.principals.items():
        listed = {_account_id(name) for name in as_list(excepted.get(kind, []))}
        own = {_account_id(name) for name in names}
        if own and own <= listed:
            return False
    return True


def _account_id(name: str) -> str:
    """Name an account one way: by its id, also where its root's ARN is given."""
    return name.split(":")[4] if name.endswith(":root") else name


def _is_everybody(principal: Any) -> bool:
    """Whether it is ``"*"`` or ``{"AWS": "*"}``, which are equivalent."""
    return principal == "*" or "*" in as_list(
        principal.get("AWS", []) if isinstance(principal, Mapping) else []
    )


def _principal_matches(principal: Any, request: AccessRequest) -> bool:
    return _is_everybody(principal) or any(
        set(as_list(principal.get(kind, []))) & set(names)
        for kind, names in request.principals.items()
    )


def _conditions_hold(
    conditions: Mapping[str, Any],
    request: AccessRequest,
    values: Mapping[str, str | list[str]] | None,
) -> bool:
    context = {key.lower(): value for key, value in request.context.items()}
    return all(
        _condition_holds(operator, as_list(wanted), context.get(key.lower()), values)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _condition_holds(
    operator: str,
    wanted: list[Any],
    actual: str | list[str] | None,
    values: Mapping[str, str | list[str]] | None,
) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return any((str(w).lower() == "true") == (actual is None) for w in wanted)
    negated = "Not" in name
    test = _OPERATORS.get(name.replace("Not", ""))
    if test is None:
        return False
    if name.startswith(("String", "Arn")):
        ready = [_filled(str(w), values) for w in wanted]
        wanted = [w for w in ready if w is not None]
    given = [] if actual is None else as_list(actual)
    matched = [any(test(str(w), value) for w in wanted) != negated for value in given if value]
    if quantifier == "ForAllValues":
        return all(matched)
    if quantifier == "ForAnyValue":
        return any(matched)
    if actual is None:
        return if_exists or negated
    matched = [any(test(str(w), value) for w in wanted) != negated for value in given]
    return all(matched) if negated else any(matched)


def _number(test: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compare(wanted: str, actual: str) -> bool:
        try:
            return test(float(actual), float(wanted))
        except ValueError:
            return False

    return compare


def _arn_like(wanted: str, actual: str) -> bool:
    """Match an ARN; wildcards do not cross its first five colons."""
    patterns, parts = wanted.split(":", 5), actual.split(":", 5)
    return len(patterns) == len(parts) == 6 and all(map(like, patterns, parts))


def _in_network(wanted: str, actual: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _date(test: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    """Compare dates: ISO 8601 in UTC, or seconds since the epoch."""

    def seconds(text: str) -> float:
        if text.replace(".", "", 1).isdigit():
            return float(text)
        form = "%Y-%m-%dT%H:%M:%SZ" if "T" in text else "%Y-%m-%d"
        return datetime.strptime(text, form).replace(tzinfo=timezone.utc).timestamp()

    def compare(wanted: str, actual: str) -> bool:
        try:
            return test(seconds(actual), seconds(wanted))
        except ValueError:
            return False

    return compare


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda a, w: a == w,
    "LessThan": lambda a, w: a < w,
    "LessThanEquals": lambda a, w: a <= w,
    "GreaterThan": lambda a, w: a > w,
    "GreaterThanEquals": lambda a, w: a >= w,
}


def _is(wanted: str, actual: str) -> bool:
    """Compare literally, but for characters that a variable's value brought."""
    for character, stand_in in _LITERAL.items():
        wanted = wanted.replace(stand_in, character)
    return wanted == actual


# Each positive operator; its negation is its name with ``Not``.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _is,
    "StringEqualsIgnoreCase": lambda wanted, actual: _is(wanted.lower(), actual.lower()),
    "StringLike": like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda wanted, actual: wanted.lower() == actual.lower(),
    "BinaryEquals": lambda wanted, actual: wanted == actual,
    "IpAddress": _in_network,
    **{f"Numeric{name}": _number(test) for name, test in _COMPARISONS.items()},
    **{f"Date{name}": _date(test) for name, test in _COMPARISONS.items()},
}
