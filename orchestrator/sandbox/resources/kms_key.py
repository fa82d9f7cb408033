"""AWS::KMS::Key, made by the functions that answer KMS's calls.

Source: CloudFormation Template Reference, AWS::KMS::Key: ``Ref`` is the id; a deleted key is
scheduled for deletion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.encryption import find_key
from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType
from orchestrator.sandbox.services import kms

_GIVEN = ("Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin")


def _ask(actor: Actor, operation: str, **parameters: Any) -> Any:
    return kms.OPERATIONS[operation](actor.state, actor.call("kms", operation, parameters))


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    given = {name: properties[name] for name in _GIVEN if name in properties}
    if "KeyPolicy" in properties:
        given["Policy"] = json.dumps(properties["KeyPolicy"])
    made = _ask(actor, "CreateKey", **given)["KeyMetadata"]
    return _set(actor, made["KeyId"], properties)


def _update(actor: Actor, key_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    if "KeyPolicy" in properties:
        _ask(actor, "PutKeyPolicy", KeyId=key_id, Policy=json.dumps(properties["KeyPolicy"]))
    actor.call("kms", "UpdateKeyDescription", {"KeyId": key_id})
    _key(actor, key_id).description = properties.get("Description", "")
    return _set(actor, key_id, properties)


def _set(actor: Actor, key_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    """Set the properties of a key that it is not created with."""
    key = _key(actor, key_id)
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", [])]
    if former := [tag["TagKey"] for tag in _ask(actor, "ListResourceTags", KeyId=key_id)["Tags"]]:
        _ask(actor, "UntagResource", KeyId=key_id, TagKeys=former)
    if tags:
        _ask(actor, "TagResource", KeyId=key_id, Tags=tags)
    enabled = str(properties.get("Enabled", True)).lower() == "true"
    if enabled and not key.enabled:
        _ask(actor, "EnableKey", KeyId=key_id)
    rotates = str(properties.get("EnableKeyRotation", False)).lower() == "true"
    if rotates or key.key_rotation_status:
        period = {n: int(v) for n, v in properties.items() if n == "RotationPeriodInDays"}
        operation = "EnableKeyRotation" if rotates else "DisableKeyRotation"
        _ask(actor, operation, KeyId=key_id, **(period if rotates else {}))
    if key.enabled and not enabled:
        _ask(actor, "DisableKey", KeyId=key_id)
    return CreatedResource(key_id, {"Arn": key.arn, "KeyId": key_id})


def _delete(actor: Actor, key_id: str) -> None:
    key = _key(actor, key_id)
    if key is not None and key.key_state != "PendingDeletion":
        _ask(actor, "ScheduleKeyDeletion", KeyId=key_id)


def _key(actor: Actor, key_id: str) -> Any:
    return find_key(key_id, actor.account_id, actor.region)


RESOURCE_TYPE = ResourceType(
    type="AWS::KMS::Key",
    properties=frozenset(
        {*_GIVEN, "KeyPolicy", "Enabled", "EnableKeyRotation", "RotationPeriodInDays", "Tags"}
        | {"PendingWindowInDays", "BypassPolicyLockoutSafetyCheck"}
    ),
    replacement_properties=frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"}),
    attributes=frozenset({"Arn", "KeyId"}),
    identifiers=("KeyId",),
    create=_create,
    update=_update,
    delete=_delete,
)
