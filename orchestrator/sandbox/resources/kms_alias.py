"""AWS::KMS::Alias.

Source: CloudFormation Template Reference, AWS::KMS::Alias: ``Ref`` is the name.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from moto.kms.models import kms_backends

from orchestrator.sandbox.encryption import find_key, key_named
from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType, already_exists
from orchestrator.sandbox.services.kms import create_alias

_TYPE = "AWS::KMS::Alias"


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    name, target = properties["AliasName"], properties["TargetKeyId"]
    given = {"AliasName": name, "TargetKeyId": target}
    create_alias(actor.state, actor.call("kms", "CreateAlias", given))
    if find_key(name, actor.account_id, actor.region) is not None:
        raise already_exists(_TYPE, name, str(uuid.uuid4()))
    _backend(actor).create_alias(_id_of(actor, target), name)
    return CreatedResource(name)


def _update(actor: Actor, name: str, properties: Mapping[str, Any]) -> CreatedResource:
    given = {"AliasName": name, "TargetKeyId": properties["TargetKeyId"]}
    create_alias(actor.state, actor.call("kms", "UpdateAlias", given))
    _backend(actor).update_alias(_id_of(actor, properties["TargetKeyId"]), name)
    return CreatedResource(name)


def _delete(actor: Actor, name: str) -> None:
    actor.call("kms", "DeleteAlias", {"AliasName": name})
    if find_key(name, actor.account_id, actor.region) is not None:
        _backend(actor).delete_alias(name)


def _id_of(actor: Actor, target: str) -> str:
    return str(key_named(target, actor.account_id, actor.region).id)


def _backend(actor: Actor) -> Any:
    return kms_backends[actor.account_id][actor.region]


RESOURCE_TYPE = ResourceType(
    type=_TYPE,
    properties=frozenset({"AliasName", "TargetKeyId"}),
    replacement_properties=frozenset({"AliasName"}),
    name_property="AliasName",
    identifiers=("AliasName",),
    create=_create,
    update=_update,
    delete=_delete,
)
