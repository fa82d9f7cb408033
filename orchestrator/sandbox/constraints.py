"""Check parameters by the constraints of botocore's service models, in AWS's words.

botocore itself checks little before it sends: not the most characters, patterns or enum values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

_SIZED = ("string", "blob", "list", "map")
_NUMBERS = ("integer", "long", "float", "double")
# S3 Control's ARNs in the model: it also tags general purpose buckets (arn:aws:s3:::NAME), which
# the pattern excludes (version 6.23 of the Terraform provider).
_NOT_ENFORCED = {"arn:[^:]+:s3(express)?:[^:].*"}
# The pattern of a stack's name or id in the model, and in CloudFormation's answers.
_ENFORCED_INSTEAD = {
    r"([a-zA-Z][-a-zA-Z0-9]*)|(arn:\b(aws|aws-us-gov|aws-cn)\b:[-a-zA-Z0-9:/._+]*)": (
        "[a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"
    )
}


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Say each constraint of a shape that a parsed value violates."""
    if value is None:
        return
    kind, rules = shape.type_name, shape.metadata
    if kind == "structure":
        yield from _members(shape, value, path)
        return
    size = len(value) if kind in _SIZED else value if kind in _NUMBERS else None
    if size is not None:
        unit = "value" if kind in _NUMBERS else "length"
        if size > rules.get("max", size):
            yield _violated(value, path, f"have {unit} less than or equal to {rules['max']}")
        if size < rules.get("min", size):
            yield _violated(value, path, f"have {unit} greater than or equal to {rules['min']}")
    if kind == "string":
        yield from _of_text(rules, value, path)
    if kind == "list" and "enum" in shape.member.metadata:
        member = "".join(next((v for m in value for v in violations(shape.member, m)), ""))
        if member:
            listed = f"[{', '.join(map(str, value))}]"
            nested = f"[Member must {member.partition(' Member must ')[2]}]"
            yield _violated(listed, path, f"satisfy constraint: {nested}")
    elif kind == "list":
        for number, member in enumerate(value, 1):
            yield from violations(shape.member, member, f"{path}.{number}.member")


# What Organizations says of each kind of violation: the reason and the text of its API Reference
# (InvalidInputException), but for those two that users quote.
_REASONS = {
    "satisfy regular": (
        "INVALID_PATTERN",
        "You provided a value that does not match the required pattern.",
    ),
    "not be": ("INPUT_REQUIRED", "You must include a value for all required parameters."),
    "satisfy enum": ("INVALID_ENUM", "You specified an invalid value."),
    "have length less": (
        "MAX_LENGTH_EXCEEDED",
        "You provided a string parameter that is longer than allowed.",
    ),
    "have length greater": (
        "MIN_LENGTH_EXCEEDED",
        "You provided a string parameter that is shorter than allowed.",
    ),
    "have value less": (
        "MAX_VALUE_EXCEEDED",
        "You provided a numeric parameter that has a larger value than allowed.",
    ),
    "have value greater": (
        "MIN_VALUE_EXCEEDED",
        "You provided a numeric parameter that has a smaller value than allowed.",
    ),
}


def reason_of(found: list[str]) -> tuple[str, str]:
    """Get the reason and the text of Organizations' error for the violations of a call."""
    kinds = [violation.rpartition("Member must ")[2] for violation in found]
    return next(
        reason
        for kind, reason in _REASONS.items()
        if any(violated.startswith(kind) for violated in kinds)
    )


# JSON's types for the types of shapes, and what AWS calls both.
_JSON_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("string", "blob"), ((str,), "a String")),
    **dict.fromkeys(("integer", "long"), ((int, float), "an Integer")),
    "boolean": ((bool,), "Boolean"),
}
_JSON_VALUES = {str: "STRING", int: "NUMBER", float: "NUMBER"}


def mistyped(shape: Any, body: bytes) -> str:
    """Say which value of a JSON body has another type than its shape, as AWS does; "" if none."""
    try:
        return _mistyped(shape, json.loads(body or b"{}"))
    except ValueError:
        return "The request is not well-formed."


def _mistyped(shape: Any, value: Any) -> str:
    kind = shape.type_name if shape is not None else ""
    known = kind in ("structure", "list", "map", *_JSON_TYPES)
    if value is None or not known or getattr(shape, "is_document_type", False):
        return ""
    if isinstance(value, list) != (kind == "list"):
        found = "list" if isinstance(value, list) else ""
    elif isinstance(value, dict) != (kind in ("structure", "map")):
        found = "structure or map" if isinstance(value, dict) else ""
    elif kind == "structure":
        named = ((shape.members.get(name), inner) for name, inner in value.items())
        return next(filter(None, (_mistyped(member, inner) for member, inner in named)), "")
    elif kind == "list":
        return next(filter(None, (_mistyped(shape.member, inner) for inner in value)), "")
    elif kind == "map":
        return next(filter(None, (_mistyped(shape.value, inner) for inner in value.values())), "")
    else:
        return _of_scalar(kind, value)
    return f"Start of {found} found where not expected." if found else "Unexpected field type"


def _of_scalar(kind: str, value: Any) -> str:
    expected, name = _JSON_TYPES[kind]
    if type(value) in expected:
        return ""
    found = str(value).upper() if isinstance(value, bool) else _JSON_VALUES[type(value)]
    return f"{found}_VALUE can not be converted to {name}"


def _members(shape: Any, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"Value null at '{_below(path, name)}' failed to satisfy constraint:" + (
                " Member must not be null"
            )
    for name, member in shape.members.items():
        yield from violations(member, value.get(name), _below(path, name))


def _of_text(rules: dict[str, Any], value: str, path: str) -> Iterator[str]:
    if "enum" in rules and value not in rules["enum"]:
        yield _violated(value, path, f"satisfy enum value set: [{', '.join(rules['enum'])}]")
    pattern = _ENFORCED_INSTEAD.get(rules.get("pattern", ""), rules.get("pattern"))
    if pattern in _NOT_ENFORCED:
        return
    if pattern and (form := _compiled(pattern)) is not None and not form.fullmatch(value):
        yield _violated(value, path, f"satisfy regular expression pattern: {pattern}")


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(_in_python(pattern))
    except re.error:  # Java's regular expressions know forms that Python's do not
        return None


def _in_python(pattern: str) -> str:
    """Replace Java's classes of letters, digits and separators, which tags are made of."""
    for java, own in ((r"\p{L}", r"\w"), (r"\p{N}", r"\d"), (r"\p{Z}", r" \u00a0\u2000-\u200a")):
        pattern = pattern.replace(java, own)
    return pattern


def _below(path: str, name: str) -> str:
    own = name[:1].lower() + name[1:]
    return f"{path}.{own}" if path else own


def _violated(value: Any, path: str, what: str) -> str:
    shown = "Value" if isinstance(value, bytes) else f"Value '{value}'"
    return f"{shown} at '{path}' failed to satisfy constraint: Member must {what}"
