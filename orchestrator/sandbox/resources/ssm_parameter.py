"""AWS::SSM::Parameter, kept in moto's Parameter Store.

Source: CloudFormation Template Reference, AWS::SSM::Parameter: ``Ref`` is the name.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import (
    Actor,
    CreatedResource,
    ResourceError,
    ResourceType,
    already_exists,
)
from orchestrator.sandbox.template_parameters import text_of

_TYPE = "AWS::SSM::Parameter"


def _parameters(actor: Actor) -> Any:
    from moto.ssm.models import ssm_backends  # takes a second to load

    return ssm_backends[actor.account_id][actor.region]


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    _check(properties)
    name = properties.get("Name") or f"CFN-{actor.new_name.split('-')[-2]}-{uuid.uuid4().hex[:12]}"
    if _parameters(actor).get_parameter(name) is not None:
        raise already_exists(_TYPE, name, str(uuid.uuid4()))
    return _put(actor, name, properties)


def _check(properties: Mapping[str, Any]) -> None:
    for required in ("Type", "Value"):
        if required not in properties:
            raise ResourceError(
                f"Property validation failure: [The property {{/{required}}} is required]"
            )
    if properties["Type"] not in ("String", "StringList"):
        raise ResourceError(
            "Properties validation failed for resource with message: #/Type:"
            f" #: {properties['Type']} is not a valid enum value"
        )


def _put(actor: Actor, name: str, properties: Mapping[str, Any]) -> CreatedResource:
    actor.call("ssm", "PutParameter", {"Name": name})
    value = text_of(properties["Value"])
    _parameters(actor).put_parameter(
        name=name,
        description=properties.get("Description", ""),
        value=value,
        parameter_type=properties["Type"],
        allowed_pattern=properties.get("AllowedPattern", ""),
        keyid="",
        overwrite=True,
        tags=[],
        data_type=properties.get("DataType", "text"),
        tier=properties.get("Tier"),
        policies=properties.get("Policies"),
    )
    if tags := properties.get("Tags"):
        _parameters(actor).add_tags_to_resource("Parameter", name, dict(tags))
    return CreatedResource(name, {"Type": properties["Type"], "Value": value})


def _update(actor: Actor, name: str, properties: Mapping[str, Any]) -> CreatedResource:
    _check(properties)
    return _put(actor, name, properties)


def _delete(actor: Actor, name: str) -> None:
    actor.call("ssm", "DeleteParameter", {"Name": name})
    if _parameters(actor).get_parameter(name) is not None:
        _parameters(actor).delete_parameter(name)


def _read(actor: Actor, name: str) -> Mapping[str, Any] | None:
    found = _parameters(actor).get_parameter(name)
    return None if found is None else {"Type": found.parameter_type, "Value": found.value}


RESOURCE_TYPE = ResourceType(
    type=_TYPE,
    properties=frozenset(
        {
            *("Name", "Type", "Value", "Description", "AllowedPattern", "DataType", "Tier"),
            *("Policies", "Tags"),
        }
    ),
    replacement_properties=frozenset({"Name"}),
    name_property="Name",
    attributes=frozenset({"Type", "Value"}),
    identifiers=("Name",),
    tags_are_map=True,
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
)
