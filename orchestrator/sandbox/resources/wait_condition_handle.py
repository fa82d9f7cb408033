"""AWS::CloudFormation::WaitConditionHandle, which many templates have in place of no resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType


def _create(actor: Actor, _properties: Mapping[str, Any]) -> CreatedResource:
    host = f"cloudformation-waitcondition-{actor.region}.s3.amazonaws.com"
    return CreatedResource(f"https://{host}/{actor.new_name}")


RESOURCE_TYPE = ResourceType(
    type="AWS::CloudFormation::WaitConditionHandle",
    properties=frozenset(),
    replacement_properties=frozenset(),
    create=_create,
    update=lambda _actor, name, _properties: CreatedResource(name),
    delete=lambda _actor, _name: None,
)
