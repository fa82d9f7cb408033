"""What a plain CloudFormation stack is made of: parameters, resources, and its history.

Source: CloudFormation API Reference, Stack, StackResource, StackEvent.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.sandbox import template
from orchestrator.sandbox.resources import Act
from orchestrator.sandbox.template import TemplateScope
from orchestrator.sandbox.template_parser import parse_template
from orchestrator.sandbox.world import PARTITION, World

Work = Generator[None, None, None]


@dataclass
class Resource:
    """A resource of a stack; ``properties`` are resolved, as it was last given them."""

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
    """One line of a stack's history."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    time: float = field(default_factory=time.time)


@dataclass
class Stack:
    """A stack in one account and region; one that was deleted stays, under its id."""

    act: Act
    name: str
    template: str
    given: dict[str, str]  # parameters as its creator gave them
    tags: list[dict[str, str]] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    rolls_back: bool = True
    id: str = ""
    status: str = ""
    reason: str = ""
    resources: dict[str, Resource] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    created: float = field(default_factory=time.time)
    changed: float | None = None
    deleted: float | None = None
    work: Work | None = None

    def __post_init__(self) -> None:
        where = f"arn:{PARTITION}:cloudformation:{self.act.region}:{self.act.account_id}"
        self.id = self.id or f"{where}:stack/{self.name}/{uuid.uuid4()}"

    def becomes(self, status: str, reason: str = "") -> None:
        """Notes the stack's own status."""
        self.status, self.reason = status, reason
        self._note(self.name, self.id, "AWS::CloudFormation::Stack", status, reason)

    def differs(self, body: str, given: Mapping[str, str], tags: list[dict[str, str]]) -> bool:
        """Whether an update to these would change anything."""
        return (
            parse_template(body) != parse_template(self.template)
            or given != self.given
            or tags != self.tags
        )

    def note(self, resource: Resource, status: str, reason: str = "") -> None:
        """Notes a resource's status."""
        resource.status, resource.reason, resource.changed = status, reason, time.time()
        self._note(resource.logical_id, resource.physical_id, resource.type, status, reason)

    def _note(self, logical: str, physical: str, type_: str, status: str, reason: str) -> None:
        self.events.append(Event(logical, physical, type_, status, reason))

    def scope(self, body: str, given: Mapping[str, str]) -> TemplateScope:
        """What the expressions of a template refer to in this stack.

        Raises:
            TemplateError: the parameters do not fit.
        """
        parsed = parse_template(body)
        pseudo = {
            "AWS::AccountId": self.act.account_id,
            "AWS::Partition": PARTITION,
            "AWS::Region": self.act.region,
            "AWS::StackId": self.id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        found = TemplateScope(parsed, {**pseudo, **template.values_of(parsed, given)})
        for resource in self.resources.values():
            found.made[resource.logical_id] = {"Ref": resource.physical_id, **resource.attributes}
        return found


def of(world: World, account_id: str, region: str) -> list[Stack]:
    """The stacks of an account and region, deleted ones too, the oldest first."""
    return world.stacks.setdefault((account_id, region), [])


def find(world: World, account_id: str, region: str, name: str) -> Stack | None:
    """By name the one that is not deleted; by id any."""
    for stack in of(world, account_id, region):
        if stack.id == name or (stack.name == name and stack.deleted is None):
            return stack
    return None
