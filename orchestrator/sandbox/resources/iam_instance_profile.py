"""AWS::IAM::InstanceProfile, which takes one role.

Source: CloudFormation Template Reference, AWS::IAM::InstanceProfile: ``Ref`` is the name.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType, already_exists
from orchestrator.sandbox.state import iam

_TYPE = "AWS::IAM::InstanceProfile"


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("InstanceProfileName") or actor.new_name
    path, own = properties.get("Path", "/"), iam(actor.account_id)
    actor.call("iam", "CreateInstanceProfile", {"InstanceProfileName": name, "Path": path})
    if name in own.instance_profiles:
        raise already_exists(_TYPE, name, str(uuid.uuid4()))
    own.create_instance_profile(name, path, [])
    try:
        return _update(actor, name, properties)
    except ServiceException:
        _delete(actor, name)
        raise


def _update(actor: Actor, name: str, properties: Mapping[str, Any]) -> CreatedResource:
    own = iam(actor.account_id)
    held = own.get_instance_profile(name)
    held.roles.clear()
    for role in properties["Roles"]:
        given = {"InstanceProfileName": name, "RoleName": role}
        actor.call("iam", "AddRoleToInstanceProfile", given)
        own.add_role_to_instance_profile(name, role)
    return CreatedResource(name, {"Arn": held.arn})


def _delete(actor: Actor, name: str) -> None:
    actor.call("iam", "DeleteInstanceProfile", {"InstanceProfileName": name})
    if name in iam(actor.account_id).instance_profiles:
        iam(actor.account_id).delete_instance_profile(name, ignore_attached_roles=True)


RESOURCE_TYPE = ResourceType(
    type=_TYPE,
    properties=frozenset({"InstanceProfileName", "Path", "Roles"}),
    replacement_properties=frozenset({"InstanceProfileName", "Path"}),
    name_property="InstanceProfileName",
    attributes=frozenset({"Arn"}),
    identifiers=("InstanceProfileName",),
    create=_create,
    update=_update,
    delete=_delete,
)
