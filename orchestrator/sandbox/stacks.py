"""A CloudFormation stack: its parameters, resources and events.

Source: CloudFormation API Reference, Stack, StackResource, StackEvent.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.sandbox import template
from orchestrator.sandbox.resources import Actor
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.template import TemplateScope
from orchestrator.sandbox.template_parser import parse_template

StackChange = Generator[None, None, None]


@dataclass
class Resource:
    """A resource of a stack; ``properties`` are the resolved ones of its last change."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    physical_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    status: str = "CREATE_IN_PROGRESS"
    reason: str = ""
    deletion_policy: str = "Delete"
    changed: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Event:
    """An event of a stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    time: float = field(default_factory=time.time)


@dataclass
class Stack:
    """A stack in one account and region; deleted stacks stay, by their ids."""

    actor: Actor
    name: str
    template: str
    parameters: dict[str, str]  # without the template's defaults
    tags: list[dict[str, str]] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    rollback_on_failure: bool = True
    id: str = ""
    status: str = ""
    reason: str = ""
    resources: dict[str, Resource] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    changed: float | None = None
    deleted: float | None = None
    change: StackChange | None = None

    def __post_init__(self) -> None:
        where = f"arn:{PARTITION}:cloudformation:{self.actor.region}:{self.actor.account_id}"
        self.id = self.id or f"{where}:stack/{self.name}/{uuid.uuid4()}"

    def set_status(self, status: str, reason: str = "") -> None:
        """Set the stack's status, and record the event."""
        self.status, self.reason = status, reason
        self._record_event(self.name, self.id, "AWS::CloudFormation::Stack", status, reason)

    def would_change(
        self, body: str, parameters: Mapping[str, str], tags: list[dict[str, str]]
    ) -> bool:
        """Whether an update to this template, parameters and tags would change anything."""
        return (
            parse_template(body) != parse_template(self.template)
            or parameters != self.parameters
            or tags != self.tags
        )

    def set_resource_status(self, resource: Resource, status: str, reason: str = "") -> None:
        """Set a resource's status, and record the event."""
        resource.status, resource.reason, resource.changed = status, reason, time.time()
        self._record_event(resource.logical_id, resource.physical_id, resource.type, status, reason)

    def _record_event(
        self, logical: str, physical: str, type_: str, status: str, reason: str
    ) -> None:
        self.events.append(Event(logical, physical, type_, status, reason))

    def scope(self, body: str, parameters: Mapping[str, str]) -> TemplateScope:
        """Get the scope in which the expressions of a template are resolved.

        Raises:
            TemplateError: the parameters do not fit the template.
        """
        parsed = parse_template(body)
        pseudo = {
            "AWS::AccountId": self.actor.account_id,
            "AWS::Partition": PARTITION,
            "AWS::Region": self.actor.region,
            "AWS::StackId": self.id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        found = TemplateScope(parsed, {**pseudo, **template.values_of(parsed, parameters)})
        for resource in self.resources.values():
            found.created[resource.logical_id] = {
                "Ref": resource.physical_id,
                **resource.attributes,
            }
        return found


def of(state: SandboxState, account_id: str, region: str) -> list[Stack]:
    """Get the stacks of an account and region, also deleted ones, the oldest first."""
    return state.stacks.setdefault((account_id, region), [])


def find(state: SandboxState, account_id: str, region: str, name: str) -> Stack | None:
    """Find a stack by id, or an existing one by name."""
    for stack in of(state, account_id, region):
        if stack.id == name or (stack.name == name and stack.deleted is None):
            return stack
    return None
