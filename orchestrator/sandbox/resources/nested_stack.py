"""AWS::CloudFormation::Stack: a stack inside a stack, whose template is an object in S3.

Source: CloudFormation User Guide, "Nested stacks"; CloudFormation Template Reference; events that
users have quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.sandbox import stack_changes, stacks
from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceError, ResourceType
from orchestrator.sandbox.stack_arguments import check_capabilities, check_stack
from orchestrator.sandbox.stacks import Stack
from orchestrator.sandbox.template_parameters import text_of
from orchestrator.sandbox.template_source import body_of
from orchestrator.sandbox.wire import Call, ServiceError


@dataclass(frozen=True, eq=False)
class _Outputs(Mapping[str, str]):
    """The outputs of a nested stack as its attributes (``Outputs.Name``), once they are set."""

    stack: Stack

    def __getitem__(self, name: str) -> str:
        return self.stack.outputs[name.removeprefix("Outputs.")]

    def __iter__(self) -> Iterator[str]:
        return (f"Outputs.{name}" for name in self.stack.outputs)

    def __len__(self) -> int:
        return len(self.stack.outputs)


@contextmanager
def _plainly() -> Iterator[None]:
    """Raise a refused call as a ResourceError with its message alone, without handler codes."""
    try:
        yield
    except ServiceError as error:
        raise ResourceError(str(error.message)) from None


def _wanted(
    call: Call, actor: Actor, properties: Mapping[str, Any], capabilities: list[str]
) -> tuple[str, dict[str, str]]:
    """Get the template and the parameters of a nested stack, once they are checked."""
    body = body_of(actor.state, call)
    given = properties.get("Parameters", {})
    parameters = {
        name: ",".join(map(text_of, value)) if isinstance(value, list) else text_of(value)
        for name, value in given.items()
    }
    check_stack(actor, call.parameters["StackName"], body, parameters, properties)
    check_capabilities(body, capabilities)
    return body, parameters


@_plainly()
def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    parent = stacks.find(actor.state, actor.account_id, actor.region, actor.stack_id)
    assert parent is not None  # noqa: S101  (the parent creates this stack)
    prefix, _, unique = actor.new_name.rpartition("-")
    name, own = f"{prefix}-{unique.upper()}", replace(actor, new_name="", stack_id="")
    asked = {"StackName": name, "TemplateURL": properties["TemplateURL"]}
    call = actor.call("cloudformation", "CreateStack", asked)
    body, parameters = _wanted(call, own, properties, parent.capabilities)
    stack = Stack(own, name, body, parameters, properties.get("Tags", []), parent.capabilities)
    stack.settings = {"ParentId": parent.id, "RootId": parent.settings.get("RootId", parent.id)}
    if "NotificationARNs" in properties:
        stack.settings["NotificationARNs"] = properties["NotificationARNs"]
    stack.rollback_on_failure = False  # its parent deletes it
    stacks.of(actor.state, actor.account_id, actor.region).append(stack)
    stack_changes.start(stack, stack_changes.create(stack, paced=_is_paced(actor)), call)
    return CreatedResource(stack.id, _Outputs(stack))


@_plainly()
def _update(actor: Actor, stack_id: str, properties: Mapping[str, Any]) -> CreatedResource:
    stack = _of(actor, stack_id)
    asked = {"StackName": stack.name, "TemplateURL": properties["TemplateURL"]}
    call = actor.call("cloudformation", "UpdateStack", asked)
    body, parameters = _wanted(call, actor, properties, stack.capabilities)
    tags = properties.get("Tags", [])
    stack.settings["DisableRollback"] = True  # its parent rolls it back
    if stack.status == "UPDATE_FAILED":
        stack_changes.start(stack, stack_changes.roll_back(stack), call)
    elif stack.would_change(body, parameters, tags):
        change = stack_changes.update(stack, body, parameters, tags, paced=_is_paced(actor))
        stack_changes.start(stack, change, call)
    return CreatedResource(stack.id, _Outputs(stack))


def _delete(actor: Actor, stack_id: str) -> None:
    stack = _of(actor, stack_id)
    if stack.deleted is None:
        call = actor.call("cloudformation", "DeleteStack", {"StackName": stack.id})
        stack_changes.start(stack, stack_changes.delete(stack, paced=_is_paced(actor)), call)


def _is_paced(actor: Actor) -> bool:
    """Whether stacks take time: those of a StackSet do not, since its operation takes the time."""
    return actor.caller is not None


def _is_stable(actor: Actor, stack_id: str) -> bool:
    """Whether the stack's change has ended.

    Raises:
        ResourceError: the change has failed.
    """
    stack = _of(actor, stack_id)
    stack_changes.step(stack)  # nothing else advances it while a StackSet deploys
    if stack.change is not None:
        return False
    if how := _FAILED.get(stack.status):
        raise ResourceError(
            f"Embedded stack {stack.id} was not successfully {how}{stack.reason.strip()}"
        )
    return True


_FAILED = {
    "CREATE_FAILED": "created: ",
    "UPDATE_FAILED": "updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: ",
    "DELETE_FAILED": "deleted: ",
}


def _of(actor: Actor, stack_id: str) -> Stack:
    return next(
        stack
        for stack in stacks.of(actor.state, actor.account_id, actor.region)
        if stack.id == stack_id
    )


RESOURCE_TYPE = ResourceType(
    type="AWS::CloudFormation::Stack",
    properties=frozenset(
        {"TemplateURL", "Parameters", "Tags", "NotificationARNs", "TimeoutInMinutes"}
    ),
    replacement_properties=frozenset(),
    create=_create,
    update=_update,
    delete=_delete,
    is_stable=_is_stable,
)
