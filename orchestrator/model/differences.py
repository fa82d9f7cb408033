"""The one comparison of desired and observed resources; verification, import detection and adoption
put its differences into their own words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Literal

from orchestrator.model.module_contract.octo_names import PRINCIPAL
from orchestrator.model.observed import Document, Role
from orchestrator.model.policy import as_list, equivalent, statements
from orchestrator.model.stackset import StackSet


class Part(Enum):
    """The part of a role that differs."""

    TRUST = "trust policy"
    PRINCIPAL = "trust in"
    INLINE = "inline policy"
    MANAGED = "managed policy"
    BOUNDARY = "permissions boundary"
    DESCRIPTION = "description"


@dataclass(frozen=True)
class Difference:
    """How an observed role differs from the desired one.

    Attributes:
        part: what differs.
        kind: ``missing`` is desired only, ``extra`` observed only.
        name: of the policy or the principal; empty for a part that a role has once.
        detail: the difference in words, unless kind and name say it all.
    """

    part: Part
    kind: Literal["missing", "extra", "changed"] = "changed"
    name: str = ""
    detail: str = ""

    def __str__(self) -> str:
        verb = "was" if self.kind == "changed" else "is"
        return self.detail or f"{self.part.value} {self.name} {verb} {self.kind}"


def role_differences(desired: Role, observed: Role) -> tuple[Difference, ...]:
    """Compare a role's policies, boundary, description and trust policy."""
    return (*_policies(desired, observed), *_trust(desired.trust, observed.trust))


def _policies(desired: Role, observed: Role) -> Iterator[Difference]:
    for part, wanted, found in (
        (Part.INLINE, desired.inline, observed.inline),
        (Part.MANAGED, desired.managed, observed.managed),
    ):
        for name in sorted(wanted.keys() - found.keys()):
            yield Difference(part, "missing", name)
        for name in sorted(found.keys() - wanted.keys()):
            yield Difference(part, "extra", name)
        for name in sorted(wanted.keys() & found.keys()):
            one, other = wanted[name], found[name]
            if one is not None and other is not None and not equivalent(one, other):
                yield Difference(part, "changed", name)
    if desired.boundary != observed.boundary:
        has, wants = observed.boundary or "not set", desired.boundary or "unset"
        detail = f"its permissions boundary is {has}, not {wants}"
        yield Difference(Part.BOUNDARY, detail=detail)
    if desired.description != observed.description:
        yield Difference(Part.DESCRIPTION, detail="its description differs")


def _trust(desired: Document, observed: Document) -> Iterator[Difference]:
    """Compare trust policies strictly: a wording that AWS would judge alike differs, too.

    IAM ignores the case of condition keys, and an account's id is the ARN of its root.
    """
    wanted, found = statements(desired), statements(observed)
    extra = sorted(_principals(found) - _principals(wanted))
    if not _is_of_one_account(wanted):
        details = [] if equivalent(desired, observed) else ["its trust policy differs"]
    elif len(found) != 1:
        trusts = f", and trusts {', '.join(extra)}" if extra else ""
        details = [f"it has {len(found)} statements instead of one{trusts}"]
    else:
        details = [*_statement(wanted[0], found[0])]
    yield from (Difference(Part.TRUST, detail=detail) for detail in details)
    for name in extra:
        yield Difference(Part.PRINCIPAL, "extra", name)


def _is_of_one_account(wanted: list[dict[str, Any]]) -> bool:
    """Tell whether a trust policy is Octo's: of one account, at most under an external id."""
    return len(wanted) == 1 and set(wanted[0].get("Principal", {})) == {"AWS"}


def _statement(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    (account,) = _principals([wanted])
    if found.get("Effect") != "Allow":
        yield "its effect is not Allow"
    named = found.get("Principal")
    alone = isinstance(named, dict) and set(named) == {"AWS"} and len(as_list(named["AWS"])) == 1
    if (trusted := _principals([found])) != {account}:
        yield f"it trusts {', '.join(sorted(trusted)) or 'nobody'}, not account {account} alone"
    elif not alone:
        yield f"its principal is not account {account} alone"
    if as_list(found.get("Action")) != ["sts:AssumeRole"]:
        yield "its action is not sts:AssumeRole alone"
    if extra := set(found) - {"Sid", "Effect", "Principal", "Action", "Condition"}:
        yield f"it has {', '.join(sorted(extra))}"
    yield from _condition(wanted.get("Condition"), found.get("Condition"))


def _condition(wanted: Any, found: Any) -> Iterator[str]:
    if not wanted:
        if found:
            yield "it has a condition, against cur_role_trust: principal_only"
    elif not found:
        yield "it does not require an external id"
    elif not isinstance(found, dict) or set(found) != {"StringEquals"}:
        yield "its condition is not StringEquals alone"
    elif not isinstance(keys := found["StringEquals"], dict) or [
        str(key).lower() for key in keys
    ] != ["sts:externalid"]:
        yield "its condition is not on sts:ExternalId alone"
    else:
        accepted = set(as_list(*keys.values()))
        meant = set(as_list(*wanted["StringEquals"].values()))
        if accepted > meant:
            yield "it accepts another external id, too"
        elif accepted != meant:
            yield "it requires another external id"


def foreign_principals(role: Role) -> list[str]:
    """List whom a role trusts besides Octo's account, by account id, ARN or service."""
    return sorted(who for who in _principals(statements(role.trust)) if PRINCIPAL not in who)


def _principals(found: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return who is trusted; an account by its id, whether it is named by that or by its root."""
    names: set[str] = set()
    for statement in found:
        named = statement.get("Principal", {})
        kinds = named.values() if isinstance(named, dict) else [named]
        names |= {_account(str(who)) for kind in kinds for who in as_list(kind)}
    return names


def _account(principal: str) -> str:
    parts = principal.split(":")
    return parts[4] if len(parts) == 6 and parts[5] == "root" else principal


def required_external_id(role: Role | None) -> str | None:
    """Return the external id that a role requires of Octo; None unless it is exactly one.

    A value with ``*`` or ``?``, which AWS allows in no external id, is a pattern that accepts many.
    """
    first, *others = [*external_ids(role)] or [""]
    return first if first and not others and not re.search(r"[*?]", first) else None


def accepts_external_id(role: Role | None, external_id: str) -> bool:
    """Tell whether a role's conditions admit an external id, if they are on any."""
    ids = external_ids(role)
    return not ids or any(fnmatchcase(external_id, accepted) for accepted in ids)


def external_ids(role: Role | None) -> frozenset[str]:
    """Return the external ids that a role accepts from Octo, patterns among them.

    What it requires of others is not Octo's. A principal may be an expression of a template.
    """
    found: set[str] = set()
    for statement in statements(role.trust if role else {}):
        trusted = _principals([statement])
        if trusted and not any(PRINCIPAL in w or "${" in w or w == "*" for w in trusted):
            continue
        operators = _REQUIRING.get(str(statement.get("Effect", "Allow")), frozenset())
        for operator, keys in (statement.get("Condition") or {}).items():
            if not isinstance(keys, dict):
                continue  # an expression of a template
            if _SET_OR_EXISTS.sub("", str(operator).lower()) not in operators:
                continue  # Null, or the ids that are not accepted
            found |= {
                str(value)
                for key, values in keys.items()
                if str(key).lower() == "sts:externalid"
                for value in as_list(values)
            }
    return frozenset(found)


# The operators by which a statement names the ids that are accepted, by its effect.
_REQUIRING = {
    "Allow": frozenset({"stringequals", "stringequalsignorecase", "stringlike"}),
    "Deny": frozenset({"stringnotequals", "stringnotequalsignorecase", "stringnotlike"}),
}
_SET_OR_EXISTS = re.compile(r"^for(any|all)values?:|ifexists$")


def report_differences(
    desired: Mapping[str, Any], observed: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Compare report definitions by the fields of the desired one (CUR API).

    Returns:
        The observed and the desired value of each field that differs. Lists are in any order, and
        AWS omits empty ones.
    """
    return {
        field: (observed.get(field), value)
        for field, value in desired.items()
        if _plain(observed.get(field)) != _plain(value)
    }


def stack_set_differences(desired: StackSet, observed: StackSet) -> list[str]:
    """Say how a StackSet's permissions, template and parameters differ."""
    wanted, ids = _external_ids(desired), _external_ids(observed)
    octo, trusted = desired.parameters["Principal"], observed.parameters.get("Principal")
    accept = "also accept an unexpected" if ids > wanted else "do not accept exactly the expected"
    differences = {
        "its permissions are not service-managed": not observed.service_managed,
        "it may not create a role with a name (CAPABILITY_NAMED_IAM)": bool(
            {*desired.capabilities} - {*observed.capabilities}
        ),
        "its template was changed": not _same_template(desired.template, observed.template),
        f"its roles {accept} external id": ids != wanted,
        f"its role trusts {trusted or 'nobody'}, not Octo's account {octo}": trusted != octo,
        "its operations do not wait for each other (managed execution is off)": (
            not observed.managed_execution
        ),
    }
    return [sentence for sentence, differs in differences.items() if differs]


def _external_ids(stack_set: StackSet) -> set[str]:
    return {v for name, v in stack_set.parameters.items() if name.startswith("ExternalId")}


def _same_template(desired: str, observed: str) -> bool:
    try:
        return bool(json.loads(desired) == json.loads(observed))
    except ValueError:
        return False


def _plain(value: Any) -> Any:
    return sorted(value or []) if isinstance(value, (list, tuple)) or value is None else value
