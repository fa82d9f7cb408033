"""AWS::CDK::Metadata, which creates nothing: the CDK adds it to templates for its statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType


def _create(actor: Actor, _properties: Mapping[str, Any]) -> CreatedResource:
    return CreatedResource(actor.new_name)


RESOURCE_TYPE = ResourceType(
    type="AWS::CDK::Metadata",
    properties=frozenset({"Analytics"}),
    replacement_properties=frozenset(),
    create=_create,
    update=lambda _actor, name, _properties: CreatedResource(name),
    delete=lambda _actor, _name: None,
)
