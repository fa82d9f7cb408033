"""Evaluate IAM policies, for the part of the policy language that this flow uses.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements". An
element that is not implemented here (such as an operator) does not match, so an Allow with it
does not allow.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Decision = Literal["allowed", "explicitDeny", "implicitDeny"]
Document = Mapping[str, Any]


@dataclass(frozen=True)
class AccessRequest:
    """A request whose authorization is decided.

    Attributes:
        action: like ``s3:GetObject``.
        resource: an ARN, or ``*`` for operations without a resource.
        context: condition keys (any case) and their values.
        principals: the names of the caller: ``{"AWS": [...]}`` or ``{"Service": [...]}``;
            only resource policies use them.
    """

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    principals: Mapping[str, Iterable[str]] = field(default_factory=dict)


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
        for statement in as_list(document.get("Statement", [])):
            if not _applies(statement, request, resource_policy):
                continue
            if statement.get("Effect") == "Deny":
                return "explicitDeny"
            allowed = allowed or statement.get("Effect") == "Allow"
    return "allowed" if allowed else "implicitDeny"


def as_list(value: Any) -> list[Any]:
    """Wrap a single value: policies allow one value or a list of values."""
    return value if isinstance(value, list) else [value]


def _applies(statement: Document, request: AccessRequest, resource_policy: bool) -> bool:
    return (
        (not resource_policy or _names(statement, request))
        and _matches(statement, "Action", request.action, ignore_case=True)
        and _matches(statement, "Resource", request.resource, absent=True)
        and _conditions_hold(statement.get("Condition", {}), request)
    )


def _matches(
    statement: Document,
    element: str,
    value: str,
    *,
    ignore_case: bool = False,
    absent: bool = False,
) -> bool:
    def any_of(patterns: Any) -> bool:
        return any(like(str(p), value, ignore_case=ignore_case) for p in as_list(patterns))

    if element in statement:
        return any_of(statement[element])
    if f"Not{element}" in statement:
        return not any_of(statement[f"Not{element}"])
    return absent


def like(pattern: str, value: str, *, ignore_case: bool = False) -> bool:
    """Match IAM's wildcards: ``*`` is any characters, ``?`` is one; brackets are literal."""
    escaped = pattern.replace("[", "[[]")
    if ignore_case:
        pattern, value, escaped = pattern.lower(), value.lower(), escaped.lower()
    return fnmatch.fnmatchcase(value, escaped)


def _names(statement: Document, request: AccessRequest) -> bool:
    if "NotPrincipal" in statement:
        return not _principal_matches(statement["NotPrincipal"], request)
    return _principal_matches(statement.get("Principal", {}), request)


def _principal_matches(principal: Any, request: AccessRequest) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    for kind, names in request.principals.items():
        wanted = as_list(principal.get(kind, []))
        if kind == "AWS" and "*" in wanted:
            return True
        if set(wanted) & set(names):
            return True
    return False


def _conditions_hold(conditions: Mapping[str, Any], request: AccessRequest) -> bool:
    context = {key.lower(): value for key, value in request.context.items()}
    return all(
        _condition_holds(operator, as_list(wanted), context.get(key.lower()))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _condition_holds(operator: str, wanted: list[Any], actual: str | None) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return any((str(w).lower() == "true") == (actual is None) for w in wanted)
    if actual is None:
        return if_exists or quantifier == "ForAllValues" or name in _NEGATED
    test = _OPERATORS.get(name)
    if test is None:
        return False
    if name in _NEGATED:
        return all(test(str(w), actual) for w in wanted)
    return any(test(str(w), actual) for w in wanted)


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


def _date(test: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    form = re.compile(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    )  # of one length, so text order is time order
    return lambda wanted, actual: bool(
        form.fullmatch(wanted) and form.fullmatch(actual) and test(actual, wanted)
    )


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, actual: wanted == actual,
    "StringNotEquals": lambda wanted, actual: wanted != actual,
    "StringEqualsIgnoreCase": lambda wanted, actual: wanted.lower() == actual.lower(),
    "StringNotEqualsIgnoreCase": lambda wanted, actual: wanted.lower() != actual.lower(),
    "StringLike": like,
    "StringNotLike": lambda wanted, actual: not like(wanted, actual),
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "ArnNotEquals": lambda wanted, actual: not _arn_like(wanted, actual),
    "ArnNotLike": lambda wanted, actual: not _arn_like(wanted, actual),
    "Bool": lambda wanted, actual: wanted.lower() == actual.lower(),
    "IpAddress": _in_network,
    "NotIpAddress": lambda wanted, actual: not _in_network(wanted, actual),
    "NumericEquals": _number(lambda a, w: a == w),
    "NumericNotEquals": _number(lambda a, w: a != w),
    "NumericLessThan": _number(lambda a, w: a < w),
    "NumericLessThanEquals": _number(lambda a, w: a <= w),
    "NumericGreaterThan": _number(lambda a, w: a > w),
    "NumericGreaterThanEquals": _number(lambda a, w: a >= w),
    "DateLessThan": _date(lambda a, w: a < w),
    "DateGreaterThan": _date(lambda a, w: a > w),
}
_NEGATED = {name for name in _OPERATORS if "Not" in name}
