"""Evaluate the ``Condition`` element of a policy statement, and policy variables.

Sources, all in the IAM User Guide: "IAM JSON policy elements: Condition operators", "Conditions
with multiple context keys or values", "Set operators for multivalued context keys" and "IAM
policy elements: Variables and tags".
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from typing import Any

from orchestrator.model.policy.document import as_list
from orchestrator.model.policy.truth import FALSE, Truth, depends, every, some

_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
_SPECIAL = {"*", "?", "$"}


@dataclass(frozen=True)
class AnyOf:
    """A value that is one of several alternatives; without any, it is entirely unknown."""

    values: tuple[str | Sequence[str] | None, ...] = ()


UNKNOWN = AnyOf()
Value = str | Sequence[str] | AnyOf | None  # None: the request does not have the key
_Present = tuple[str, ...] | None


class Context:
    """The condition keys of a request.

    Args:
        keys: values by key name. A name with wildcards (``aws:PrincipalTag/*``) covers the keys
            that have no entry of their own; the first match counts. A key without an entry is
            absent from the request.
    """

    def __init__(self, keys: Mapping[str, Value]) -> None:
        self._keys = {name.lower(): value for name, value in keys.items()}

    def values(self, key: str) -> tuple[_Present, ...]:
        """Return the values that a key may have, each a tuple, or None for an absent key.

        Nothing is returned for a key of which nothing is known.
        """
        key = key.lower()
        value = self._keys.get(key)
        if key not in self._keys:
            patterns = (v for name, v in self._keys.items() if fnmatchcase(key, name))
            value = next(patterns, None)
        alternatives = value.values if isinstance(value, AnyOf) else (value,)
        return tuple(
            None if v is None else (v,) if isinstance(v, str) else tuple(v) for v in alternatives
        )

    def expand(self, text: str, *, wildcards: bool, variables: bool) -> str | Truth | None:
        """Turn a policy's text into a pattern for ``fnmatch``, with its variables' values.

        Args:
            text: the text, like ``home/${aws:username}/*``.
            wildcards: whether ``*`` and ``?`` are wildcards in it.
            variables: whether ``${...}`` is a variable: only in policies of version 2012-10-17.

        Returns:
            The pattern; None if a variable has no value; a ``Truth`` if it is not known.
        """
        pattern, end = "", 0
        for variable in _VARIABLE.finditer(text) if variables else ():
            pattern += _glob(text[end : variable.start()], wildcards=wildcards)
            end = variable.end()
            value = variable[1] if variable[1] in _SPECIAL else self._variable(*variable.groups())
            if not isinstance(value, str):
                return value
            pattern += _glob(value, wildcards=False)
        return pattern + _glob(text[end:], wildcards=wildcards)

    def _variable(self, key: str, default: str | None) -> str | Truth | None:
        alternatives = self.values(key)
        if len(alternatives) != 1:
            return depends(key.lower())
        (value,) = alternatives
        return value[0] if value is not None and len(value) == 1 else default


def holds(condition: Mapping[str, Any], context: Context, *, variables: bool) -> Truth:
    """Tell whether every operator and key of a ``Condition`` element holds."""
    return every(
        _holds(operator, key, as_list(wanted), context, variables=variables)
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _holds(
    operator: str, key: str, wanted: list[Any], context: Context, *, variables: bool
) -> Truth:
    """Evaluate one operator on one key, for each value that the key may have."""
    quantifier, _, name = operator.lower().rpartition(":")
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    negated = name in NEGATED
    test = TESTS.get(NEGATED.get(name, name))
    if test is None and name != "null":
        return depends(key.lower())  # an operator that is newer than this list

    def one(value: str) -> Truth:
        found = some(test(str(w), value, context, variables) for w in wanted) if test else FALSE
        return ~found if negated else found

    def given(values: _Present) -> Truth:
        if name == "null":
            return Truth(any((str(w).lower() == "true") == (values is None) for w in wanted))
        if quantifier:
            # "an empty data set, such as an empty string" counts as an absent key.
            values = tuple(v for v in values or () if v)
            return (every if quantifier == "forallvalues" else some)(map(one, values))
        if values is None:
            return Truth(if_exists or negated)
        return (every if negated else some)(map(one, values))

    results = set(map(given, context.values(key)))
    return results.pop() if len(results) == 1 else depends(key.lower())


def _glob(text: str, *, wildcards: bool) -> str:
    """Escape text for ``fnmatch``, whose brackets policies do not have."""
    escaped = "[[]" if wildcards else r"[*?\[]"
    return text.replace("[", escaped) if wildcards else re.sub(escaped, r"[\g<0>]", text)


_Test = Callable[[str, str, Context, bool], Truth]


def _text(*, wildcards: bool = False, ignore_case: bool = False) -> _Test:
    def test(wanted: str, actual: str, context: Context, variables: bool) -> Truth:
        pattern = context.expand(wanted, wildcards=wildcards, variables=variables)
        if not isinstance(pattern, str):
            return pattern or FALSE
        if ignore_case:
            pattern, actual = pattern.lower(), actual.lower()
        return Truth(fnmatchcase(actual, pattern))

    return test


def _arn(wanted: str, actual: str, context: Context, variables: bool) -> Truth:
    """Compare ARNs part by part: "each of the six colon-delimited components"."""
    patterns, parts = wanted.split(":", 5), actual.split(":", 5)
    if not len(patterns) == len(parts) == 6:
        return FALSE
    like = _text(wildcards=True)
    return every(like(p, part, context, variables) for p, part in zip(patterns, parts, strict=True))


def _parsed(parse: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> _Test:
    """Compare parsed values, actual one first; what cannot be parsed does not match."""

    def test(wanted: str, actual: str, _context: Context, _variables: bool) -> Truth:
        try:
            return Truth(compare(parse(actual), parse(wanted)))
        except (ValueError, TypeError):
            return FALSE

    return test


def _date(text: str) -> datetime:
    """Parse a date in ISO 8601, or as seconds since the epoch."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), timezone.utc)
    parsed = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def _ordered(prefix: str, parse: Callable[[str], Any]) -> dict[str, _Test]:
    return {
        f"{prefix}equals": _parsed(parse, lambda a, w: a == w),
        f"{prefix}lessthan": _parsed(parse, lambda a, w: a < w),
        f"{prefix}lessthanequals": _parsed(parse, lambda a, w: a <= w),
        f"{prefix}greaterthan": _parsed(parse, lambda a, w: a > w),
        f"{prefix}greaterthanequals": _parsed(parse, lambda a, w: a >= w),
    }


def _network(text: str) -> Any:
    return ipaddress.ip_network(text, strict=False)


TESTS: dict[str, _Test] = {
    "stringequals": _text(),
    "stringequalsignorecase": _text(ignore_case=True),
    "stringlike": _text(wildcards=True),
    "arnequals": _arn,
    "arnlike": _arn,
    "bool": _parsed(str.lower, lambda a, w: a == w),
    "binaryequals": _parsed(str, lambda a, w: a == w),
    "ipaddress": _parsed(_network, lambda a, w: a.subnet_of(w)),
    **_ordered("numeric", float),
    **_ordered("date", _date),
}
NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}
