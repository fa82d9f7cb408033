"""Organizations: the tree of organizational units.

Source: Organizations API Reference; "Quotas for AWS Organizations": five levels below the root.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox import lookup
from orchestrator.sandbox.request_context import organization_path
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.organizations import (
    find_place,
    organization_of,
    page,
    violates,
)
from orchestrator.sandbox.services.organizations_policy_types import attach_defaults
from orchestrator.sandbox.services.organizations_tags import check_tags
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
_LEVELS = 5


def create(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateOrganizationalUnit."""
    own, given = organization_of(state, call), call.parameters
    parent = find_place(own, given["ParentId"])
    check_tags(given.get("Tags", []))
    _check_name(own, parent.id, given["Name"])
    if _depth(own, parent) >= _LEVELS:
        text = "You attempted to create an OU tree that is too many levels deep."
        raise violates("OU_DEPTH_LIMIT_EXCEEDED", text)
    made = own.create_organizational_unit(**given)["OrganizationalUnit"]["Id"]
    attach_defaults(own)
    return {"OrganizationalUnit": _described(own, _find(own, made))}


def rename(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateOrganizationalUnit: its name, of which its parent has no other."""
    own = organization_of(state, call)
    unit = _find(own, call.parameters["OrganizationalUnitId"])
    name = call.parameters.get("Name", unit.name)
    _check_name(own, unit.parent_id, name, unit.id)
    unit.name = name
    return {"OrganizationalUnit": _described(own, unit)}


def _check_name(own: Any, parent_id: str, name: str, but: str = "") -> None:
    if any(ou.parent_id == parent_id and ou.name == name and ou.id != but for ou in own.ou):
        text = "An OU with the same name already exists."
        raise ServiceError("DuplicateOrganizationalUnitException", text)


def delete(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteOrganizationalUnit: an empty one."""
    own = organization_of(state, call)
    unit = _find(own, call.parameters["OrganizationalUnitId"])
    if any(held.parent_id == unit.id for held in (*own.ou, *own.accounts)):
        raise ServiceError(
            "OrganizationalUnitNotEmptyException",
            "The specified OU is not empty. Move all accounts to another root or to other OUs,"
            " remove all child OUs, and try the operation again.",
        )
    for policy in unit.attached_policies:
        policy.attachments.remove(unit)
    own.ou.remove(unit)
    return {}


def describe(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeOrganizationalUnit."""
    own = organization_of(state, call)
    return {
        "OrganizationalUnit": _described(own, _find(own, call.parameters["OrganizationalUnitId"]))
    }


def list_units(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListOrganizationalUnitsForParent."""
    own = organization_of(state, call)
    parent = find_place(own, call.parameters["ParentId"])
    found = [_described(own, ou) for ou in own.ou if ou.parent_id == parent.id]
    return page(call, "OrganizationalUnits", found)


def list_children(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListChildren: accounts or OUs."""
    own, kind = organization_of(state, call), call.parameters["ChildType"]
    parent = find_place(own, call.parameters["ParentId"])
    held = own.accounts if kind == "ACCOUNT" else own.ou
    found = [{"Id": child.id, "Type": kind} for child in held if child.parent_id == parent.id]
    return page(call, "Children", found)


def list_parents(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListParents: the one that an account or OU has."""
    own, wanted = organization_of(state, call), call.parameters["ChildId"]
    child = lookup.member(own, wanted) or next((ou for ou in own.ou if ou.id == wanted), None)
    if child is None:
        raise ServiceError(
            "ChildNotFoundException",
            "You specified a child organizational unit (OU) or account that doesn't exist.",
        )
    parents = [{"Id": ou.id, "Type": ou.type} for ou in own.ou if ou.id == child.parent_id]
    return page(call, "Parents", parents)


def list_roots(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListRoots."""
    own = organization_of(state, call)
    return page(call, "Roots", [ou.describe() for ou in own.ou if ou.type == "ROOT"])


def _find(own: Any, unit_id: str) -> Any:
    return find_place(own, unit_id, "OrganizationalUnitNotFoundException")


def _described(own: Any, unit: Any) -> dict[str, Any]:
    path = f"{organization_path(own, unit.id)}{unit.id}/"
    return {"Id": unit.id, "Arn": unit.arn, "Name": unit.name, "Path": path}


def _depth(own: Any, place: Any) -> int:
    return 0 if place.parent_id is None else 1 + _depth(own, find_place(own, place.parent_id))


OPERATIONS: dict[str, Operation] = {
    "CreateOrganizationalUnit": create,
    "DeleteOrganizationalUnit": delete,
    "DescribeOrganizationalUnit": describe,
    "ListChildren": list_children,
    "ListOrganizationalUnitsForParent": list_units,
    "ListParents": list_parents,
    "ListRoots": list_roots,
    "UpdateOrganizationalUnit": rename,
}
