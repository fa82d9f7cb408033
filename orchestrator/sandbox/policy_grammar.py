"""Check the grammar of policies: of resource-based ones fully, of others the rules they share.

S3 and IAM read bucket and trust policies by one parser, which names the first thing that is wrong.
Sources: IAM User Guide, "Grammar of the IAM JSON policy language"; real error texts.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from typing import Any

from orchestrator.sandbox.policy import as_list

VERSIONS = ("2008-10-17", "2012-10-17")
_TOP = ("Version", "Id", "Statement")
_ELEMENTS = (
    *("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition"),
)
_OPERATOR = re.compile(
    r"(ForA(llValues|nyValue):)?(((String|Arn)(Not)?(Equals|Like)|String(Not)?EqualsIgnoreCase"
    r"|(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?)|Bool|BinaryEquals|(Not)?IpAddress"
    r")(IfExists)?|Null)"
)
_NETWORKS = ("aws:sourceip", "aws:vpcsourceip")


def load(text: str) -> Any:
    """Parse JSON in which no object has a name twice.

    Raises:
        ValueError: it is none.
    """
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a name is there twice")
    return made


def is_operator(name: str) -> bool:
    """Whether it is a condition operator, with its qualifiers."""
    return _OPERATOR.fullmatch(name) is not None


def conditions(statement: Any) -> Iterator[tuple[str, str, list[Any]]]:
    """Get each line of a statement's conditions: operator, key and values."""
    for operator, keys in statement.get("Condition", {}).items():
        yield from ((operator, key, as_list(values)) for key, values in keys.items())


def has_valid_conditions(statement: Any) -> bool:
    """Whether a Condition element, if there is one, has the form and operators that AWS knows."""
    block = statement.get("Condition", {})
    return _is_condition(block) and all(is_operator(name) for name in block)


def _is_condition(block: Any) -> bool:
    return isinstance(block, dict) and all(
        isinstance(keys, dict)
        and all(
            isinstance(value, str | bool | int | float)
            for values in keys.values()
            for value in as_list(values)
        )
        for keys in block.values()
    )


def is_text(value: Any) -> bool:
    """Whether it is a text or a list of texts."""
    return all(isinstance(one, str) for one in as_list(value))


def problems(document: Any, *, syntax: str, with_resources: bool) -> Iterator[str]:
    """Say what is wrong with a policy that is attached to a resource, in AWS's words and order.

    Args:
        document: the parsed policy.
        syntax: the service's words for a value of a wrong type.
        with_resources: whether statements name resources, as those of trust policies do not.
    """
    if not isinstance(document, dict):
        yield syntax
        return
    yield from (f"Unknown field {name}" for name in document if name not in _TOP)
    if document.get("Version", VERSIONS[0]) not in VERSIONS:
        yield "The policy must contain a valid version string"
    if "Statement" not in document:
        yield "Missing required field Statement"
        return
    statements = as_list(document["Statement"])
    if not statements:
        yield "Could not parse the policy: Statement is empty!"
    for statement in statements:
        yield from (
            _of_statement(statement, syntax, with_resources)
            if isinstance(statement, dict)
            else (syntax,)
        )
    sids = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(sids) > len(set(sids)):
        yield "The Statement Ids in the policy are not unique"


def _of_statement(statement: dict[str, Any], syntax: str, with_resources: bool) -> Iterator[str]:
    yield from (f"Unknown field {name}" for name in statement if name not in _ELEMENTS)
    if not isinstance(statement.get("Sid", ""), str):
        yield syntax
    if "Effect" not in statement:
        yield "Missing required field Effect"
    elif statement["Effect"] not in ("Allow", "Deny"):
        yield f"Invalid effect: {statement['Effect']}"
    if "NotPrincipal" in statement and statement.get("Effect") == "Allow":
        yield "Allow with NotPrincipal is not allowed."
    for name in ("Principal", "Action", *(["Resource"] if with_resources else [])):
        given = [each for each in (name, f"Not{name}") if each in statement]
        if not given:
            yield f"Missing required field {name}"
        elif len(given) > 1:
            yield syntax
        elif statement[given[0]] in ({}, []):
            yield f"Missing required field {given[0]} cannot be empty!"
        elif name != "Principal" and not is_text(statement[given[0]]):
            yield syntax
    if not _is_principal(statement.get("Principal", statement.get("NotPrincipal"))):
        yield syntax
    yield from _of_conditions(statement, syntax)


def _is_principal(principal: Any) -> bool:
    return principal == "*" or (
        isinstance(principal, dict) and all(is_text(names) for names in principal.values())
    )


def _of_conditions(statement: dict[str, Any], syntax: str) -> Iterator[str]:
    block = statement.get("Condition", {})
    if not _is_condition(block):
        yield syntax
        return
    yield from (f"Invalid Condition type : {name}" for name in block if not is_operator(name))
    for _, key, values in conditions(statement):
        if key.lower() in _NETWORKS and not all(_is_network(str(value)) for value in values):
            yield "Invalid IP address in Conditions"


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return "${" in text
    return True
