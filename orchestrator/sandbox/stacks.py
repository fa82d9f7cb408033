"""A CloudFormation stack: its parameters, resources, events and change sets.

Source: CloudFormation API Reference, Stack, StackResource, StackEvent.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from orchestrator.sandbox.resources import Actor
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.template import TemplateScope
from orchestrator.sandbox.template_format import checked_template
from orchestrator.sandbox.template_parameters import stored_names, values_of
from orchestrator.sandbox.template_parser import TemplateError

if TYPE_CHECKING:
    from orchestrator.sandbox.change_sets import ChangeSet

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
    replace_policy: str = "Delete"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    drift: str = "NOT_CHECKED"
    drift_checked: float | None = None
    changed: float = field(default_factory=time.time)


@dataclass(frozen=True)
class Event:
    """An event of a stack."""

    id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""
    time: float = field(default_factory=time.time)


@dataclass
class Stack:
    """A stack in one account and region; deleted stacks stay, by their ids.

    Attributes:
        template: the template; empty while there is only a change set that will create the stack.
        parameters: the values that were given, without the template's defaults.
        settings: further parameters of the calls that the stack was created and updated with.
        policy: the stack's policy; ``policy_of_update`` is what the running update obeys.
        deletion_started: when deletion, or the rollback of the creation, has begun.
        replaced: the former resources that an update deletes at its end.
        before_update: the resources that a rollback has still to set back.
        values: of the parameters in the latest change, those of the Parameter Store among them.
        token: the token of the request that started the latest change, or "".
    """

    actor: Actor
    name: str
    template: str
    parameters: dict[str, str]
    tags: list[dict[str, str]] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    rollback_on_failure: bool = True
    settings: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    status: str = ""
    reason: str = ""
    policy: str | None = None
    policy_of_update: str | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    replaced: list[Resource] = field(default_factory=list)
    before_update: dict[str, Resource] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    change_sets: list[ChangeSet] = field(default_factory=list)
    change_set_id: str = ""
    created: float = field(default_factory=time.time)
    changed: float | None = None
    deletion_started: float | None = None
    deleted: float | None = None
    change: StackChange | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""
    drift: str = "NOT_CHECKED"
    drift_checked: float | None = None

    def __post_init__(self) -> None:
        where = f"arn:{PARTITION}:cloudformation:{self.actor.region}:{self.actor.account_id}"
        self.id = self.id or f"{where}:stack/{self.name}/{uuid.uuid4()}"

    def set_status(self, status: str, reason: str = "") -> None:
        """Set the stack's status, and record the event."""
        self.status, self.reason = status, reason
        type_ = "AWS::CloudFormation::Stack"
        event_id, token = str(uuid.uuid4()), self.token
        self.events.append(Event(event_id, self.name, self.id, type_, status, reason, token=token))

    def would_change(
        self, body: str, parameters: Mapping[str, str], tags: list[dict[str, str]]
    ) -> bool:
        """Whether an update to this template, parameters and tags would change anything.

        What differs in the template's description and metadata only is no change.
        """
        return tags != self.tags or self._effect(
            self.scope(body, parameters, planning=True)
        ) != self._effect(self.present_scope())

    def _effect(self, scope: TemplateScope) -> Any:
        resources = {name: planned(scope, r) for name, r in scope.ordered_resources().items()}
        return resources, {name: scope.resolve(o) for name, o in scope.outputs().items()}

    def set_resource_status(self, resource: Resource, status: str, reason: str = "") -> None:
        """Set a resource's status, and record the event."""
        resource.status, resource.reason, resource.changed = status, reason, time.time()
        moment = datetime.fromtimestamp(resource.changed, timezone.utc)
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
        self.events.append(
            Event(
                f"{resource.logical_id}-{status}-{stamp}",
                resource.logical_id,
                resource.physical_id,
                resource.type,
                status,
                reason,
                resource.properties,
                self.token,
            )
        )

    def present_scope(self) -> TemplateScope:
        """Get the scope of the stack's own template, with the values of its latest change."""
        return self.scope(self.template, self.parameters, planning=True, values=self.values)

    def scope(
        self,
        body: str,
        parameters: Mapping[str, str],
        *,
        planning: bool = False,
        values: Mapping[str, Any] | None = None,
    ) -> TemplateScope:
        """Get the scope in which the expressions of a template are resolved.

        Raises:
            TemplateError: the parameters do not fit the template.
        """
        parsed = checked_template(body)
        pseudo = {
            "AWS::AccountId": self.actor.account_id,
            "AWS::NotificationARNs": self.settings.get("NotificationARNs", []),
            "AWS::Partition": PARTITION,
            "AWS::Region": self.actor.region,
            "AWS::StackId": self.id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        given = values_of(parsed, parameters)
        stored = stored_values(self.actor, stored_names(parsed, given), values)
        exported = exports(self.actor.state, self.actor.account_id, self.actor.region)
        found = TemplateScope(
            parsed,
            {**pseudo, **given, **stored},
            exports={name: value for name, (_, value) in exported.items()},
            planning=planning,
        )
        for resource in self.resources.values():
            if resource.physical_id and resource.status != "DELETE_COMPLETE":
                found.created[resource.logical_id] = {
                    "Ref": resource.physical_id,
                    **resource.attributes,
                }
        return found


def planned(scope: TemplateScope, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Resolve what an update compares of a resource."""
    return {
        name: scope.resolve(declared[name])
        for name in ("Type", "Properties", "Metadata", "DeletionPolicy", "UpdateReplacePolicy")
        if name in declared
    }


def stored_values(
    actor: Actor, names: Mapping[str, str], values: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Get the values of parameters that name others in the Parameter Store, unless in ``values``.

    Raises:
        TemplateError: some are not there.
    """
    if names.keys() <= (values or {}).keys():
        return {name: str((values or {})[name]) for name in names}
    from moto.ssm.models import ssm_backends  # takes a second to load

    own = ssm_backends[actor.account_id][actor.region]
    found = {name: own.get_parameter(stored) for name, stored in names.items()}
    if missing := sorted(name for name, value in found.items() if value is None):
        raise TemplateError(
            f"Parameter {missing[0]} should either have input value or default value"
        )
    return {name: str(value.value) for name, value in found.items() if value is not None}


def of(state: SandboxState, account_id: str, region: str) -> list[Stack]:
    """Get the stacks of an account and region, also deleted ones, the oldest first."""
    return state.stacks.setdefault((account_id, region), [])


def existing(state: SandboxState, account_id: str, region: str) -> Iterator[Stack]:
    """Yield the stacks of an account and region that are not deleted."""
    return (stack for stack in of(state, account_id, region) if stack.deleted is None)


def exports(state: SandboxState, account_id: str, region: str) -> dict[str, tuple[str, str]]:
    """Get the exports of an account and region by name: the stack's id, and the value."""
    return {
        name: (stack.id, value)
        for stack in existing(state, account_id, region)
        for name, value in stack.exports.items()
    }


def importers(stack: Stack, export: str) -> list[str]:
    """Get the names of the stacks that import an export of a stack."""
    own = existing(stack.actor.state, stack.actor.account_id, stack.actor.region)
    return sorted(other.name for other in own if export in other.imports)


def find(state: SandboxState, account_id: str, region: str, name: str) -> Stack | None:
    """Find a stack by id, or an existing one by name."""
    for stack in of(state, account_id, region):
        if stack.id == name or (stack.name == name and stack.deleted is None):
            return stack
    return None
