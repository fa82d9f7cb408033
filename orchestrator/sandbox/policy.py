"""Evaluates IAM policies, for the part of the language that this flow uses.

Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements". What is not
known here (an operator, say) does not match: an Allow then does not allow.
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
class Question:
    """May ``principal`` do ``action`` to ``resource``?

    Attributes:
        action: like ``s3:GetObject``.
        resource: an ARN, or ``*`` where none is meant.
        context: condition keys (any case) and their values.
        principals: how the asker can be named: ``{"AWS": [...]}`` or ``{"Service": [...]}``;
            only looked at for resource policies.
    """

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    principals: Mapping[str, Iterable[str]] = field(default_factory=dict)


def parse_policy(text: str | bytes) -> Document:
    """A policy document from JSON text.

    Raises:
        ValueError: it is not a JSON object with statements.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("not a policy document")
    return document


def decide(
    documents: Iterable[Document], question: Question, *, resource_policy: bool = False
) -> Decision:
    """What the documents together say; an explicit deny wins.

    With ``resource_policy`` each statement's principal must name the asker.
    """
    allowed = False
    for document in documents:
        for statement in as_list(document.get("Statement", [])):
            if not _applies(statement, question, resource_policy):
                continue
            if statement.get("Effect") == "Deny":
                return "explicitDeny"
            allowed = allowed or statement.get("Effect") == "Allow"
    return "allowed" if allowed else "implicitDeny"


def as_list(value: Any) -> list[Any]:
    """Policies write one thing or a list of things."""
    return value if isinstance(value, list) else [value]


def _applies(statement: Document, question: Question, resource_policy: bool) -> bool:
    return (
        (not resource_policy or _names(statement, question))
        and _matches(statement, "Action", question.action, ignore_case=True)
        and _matches(statement, "Resource", question.resource, absent=True)
        and _conditions_hold(statement.get("Condition", {}), question)
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
    """IAM's wildcards: ``*`` for any characters, ``?`` for one; brackets mean themselves."""
    escaped = pattern.replace("[", "[[]")
    if ignore_case:
        pattern, value, escaped = pattern.lower(), value.lower(), escaped.lower()
    return fnmatch.fnmatchcase(value, escaped)


def _names(statement: Document, question: Question) -> bool:
    if "NotPrincipal" in statement:
        return not _principal_matches(statement["NotPrincipal"], question)
    return _principal_matches(statement.get("Principal", {}), question)


def _principal_matches(principal: Any, question: Question) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    for kind, names in question.principals.items():
        wanted = as_list(principal.get(kind, []))
        if kind == "AWS" and "*" in wanted:
            return True
        if set(wanted) & set(names):
            return True
    return False


def _conditions_hold(conditions: Mapping[str, Any], question: Question) -> bool:
    context = {key.lower(): value for key, value in question.context.items()}
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
    """Wildcards do not cross an ARN's first five colons."""
    patterns, parts = wanted.split(":", 5), actual.split(":", 5)
    return len(patterns) == len(parts) == 6 and all(map(like, patterns, parts))


def _in_network(wanted: str, actual: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _date(test: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")  # of one length: text order is time's
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
