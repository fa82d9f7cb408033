"""AWS::IAM::AccessKey.

Source: CloudFormation Template Reference, AWS::IAM::AccessKey: ``Ref`` is the key's id; another
``Serial`` replaces it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType
from orchestrator.sandbox.state import iam


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    user = properties["UserName"]
    actor.call("iam", "CreateAccessKey", {"UserName": user})
    made = iam(actor.account_id).create_access_key(user, status=properties.get("Status", "Active"))
    return CreatedResource(made.access_key_id, {"SecretAccessKey": made.secret_access_key})


def _update(actor: Actor, key_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    user, status = properties["UserName"], properties.get("Status", "Active")
    given = {"UserName": user, "AccessKeyId": key_id, "Status": status}
    actor.call("iam", "UpdateAccessKey", given)
    held = iam(actor.account_id).get_user(user).update_access_key(key_id, status)
    return CreatedResource(key_id, {"SecretAccessKey": held.secret_access_key})


def _delete(actor: Actor, key_id: str) -> None:
    for user in iam(actor.account_id).users.values():
        if any(key.access_key_id == key_id for key in user.access_keys):
            given = {"UserName": user.name, "AccessKeyId": key_id}
            actor.call("iam", "DeleteAccessKey", given)
            iam(actor.account_id).delete_access_key(key_id, user.name)


RESOURCE_TYPE = ResourceType(
    type="AWS::IAM::AccessKey",
    properties=frozenset({"UserName", "Status", "Serial"}),
    replacement_properties=frozenset({"UserName", "Serial"}),
    attributes=frozenset({"SecretAccessKey"}),
    create=_create,
    update=_update,
    delete=_delete,
)
