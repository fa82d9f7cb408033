"""AWS::IAM::Policy: an inline policy of roles, users and groups.

Source: CloudFormation Template Reference, AWS::IAM::Policy: one of ``Groups``, ``Roles`` and
``Users`` is required; ``Ref`` is a generated id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceError, ResourceType
from orchestrator.sandbox.services.iam import put_inline
from orchestrator.sandbox.state import iam, role

_KINDS = {"Roles": "Role", "Users": "User", "Groups": "Group"}
_NO_HOLDER = "At least one of [Groups,Roles,Users] must be non-empty."


def _held(actor: Actor) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Get the name and the holders of each policy by its physical id."""
    return actor.state.of_service("policies of stacks", dict)


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    return _put(actor, actor.new_name, properties)


def _put(actor: Actor, physical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    text, name = json.dumps(properties["PolicyDocument"]), properties["PolicyName"]
    holders = [(k, holder) for m, k in _KINDS.items() for holder in properties.get(m, [])]
    if not holders:
        raise ResourceError(_NO_HOLDER, physical_id)
    for kind, holder in holders:
        given = {f"{kind}Name": holder, "PolicyName": name, "PolicyDocument": text}
        put_inline(actor.state, actor.call("iam", f"Put{kind}Policy", given))
        found = _holder(actor, kind, holder)
        if found is None:
            raise ResourceError(
                f"The {kind.lower()} with name {holder} cannot be found. (Service: Iam, Status"
                " Code: 404)"
            )
        found.policies[name] = text
    _held(actor)[physical_id] = (name, holders)
    return CreatedResource(physical_id)


def _holder(actor: Actor, kind: str, name: str) -> Any:
    own = iam(actor.account_id)
    if kind == "Role":
        return role(actor.account_id, name)
    return (own.users if kind == "User" else own.groups).get(name)


def _update(actor: Actor, physical_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    name, former = _held(actor)[physical_id]
    made = _put(actor, physical_id, properties)
    _remove(
        actor, name, [holder for holder in former if holder not in _held(actor)[physical_id][1]]
    )
    return made


def _delete(actor: Actor, physical_id: str) -> None:
    # Recorded: a policy that nobody holds cannot be created, nor deleted.
    if physical_id not in _held(actor):
        raise ResourceError(_NO_HOLDER)
    _remove(actor, *_held(actor).pop(physical_id))


def _remove(actor: Actor, name: str, holders: list[tuple[str, str]]) -> None:
    for kind, holder in holders:
        actor.call("iam", f"Delete{kind}Policy", {f"{kind}Name": holder, "PolicyName": name})
        found = _holder(actor, kind, holder)
        if found is not None:
            found.policies.pop(name, None)


RESOURCE_TYPE = ResourceType(
    type="AWS::IAM::Policy",
    properties=frozenset({"PolicyName", "PolicyDocument", "Groups", "Roles", "Users"}),
    replacement_properties=frozenset({"PolicyName"}),
    create=_create,
    update=_update,
    delete=_delete,
)
