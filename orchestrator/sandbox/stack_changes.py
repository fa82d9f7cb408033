"""Create, update and delete stacks, and roll back on failure.

A change is a generator that yields while it waits; every call to the sandbox resumes all of them
(``advance``).

Source: CloudFormation User Guide, "Stack failure options", "DeletionPolicy attribute", "Update
behaviors of stack resources".
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Iterable, Mapping
from typing import Any

from moto.core.exceptions import ServiceException

from orchestrator.sandbox import resources
from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceError
from orchestrator.sandbox.stacks import Resource, Stack, StackChange
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.template import TemplateScope
from orchestrator.sandbox.template_parser import TemplateError

_USER_INITIATED = "User Initiated"  # the reason of the first event of every change
_RETAINS = ("Retain", "RetainExceptOnCreate")
_RETAINS_ON_ROLLBACK = ("Retain",)  # a new resource is deleted even with RetainExceptOnCreate


def check(actor: Actor, name: str, body: str, parameters: Mapping[str, str]) -> None:
    """Validate a template and parameters before anything is created or changed.

    Raises:
        TemplateError: CloudFormation would refuse them.
    """
    scope = Stack(actor, name, body, {}).scope(body, parameters)
    known_types = resources.find()
    types = {resource["Type"] for resource in scope.template["Resources"].values()}
    unknown = sorted(
        t
        for t in types
        if t not in known_types or actor.region not in (known_types[t].regions or {actor.region})
    )
    if unknown:
        raise TemplateError(
            f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]"
        )
    scope.check_references()
    scope.check_rules()
    scope.ordered_resources()


def start(stack: Stack, change: StackChange) -> None:
    """Start a change of a stack."""
    stack.change = change
    stack.actor.state.stacks_in_progress.append(stack)
    _step(stack)


def advance(state: SandboxState) -> None:
    """Resume every change; the caller holds the state's lock."""
    for stack in state.stacks_in_progress:
        _step(stack)
    state.stacks_in_progress = [
        stack for stack in state.stacks_in_progress if stack.change is not None
    ]


def run_to_completion(stack: Stack, change: StackChange) -> None:
    """Run a change to its end without waiting."""
    for _ in change:
        pass
    stack.change = None


def _step(stack: Stack) -> None:
    if stack.change is not None and next(stack.change, StopIteration) is StopIteration:
        stack.change = None


def create(stack: Stack, paced: bool = False) -> StackChange:
    """Create the resources in the order of their dependencies, or roll back."""
    stack.set_status("CREATE_IN_PROGRESS", _USER_INITIATED)
    yield from _wait(stack, paced)
    scope = stack.scope(stack.template, stack.parameters)
    for logical_id, declared in scope.ordered_resources().items():
        resource = Resource(logical_id, declared["Type"], {})
        stack.resources[logical_id] = resource
        try:
            yield from _create_resource(stack, scope, resource, declared)
        except ResourceError as error:
            stack.set_resource_status(resource, "CREATE_FAILED", str(error))
            why = f"The following resource(s) failed to create: [{logical_id}]. "
            if not stack.rollback_on_failure:
                stack.set_status("CREATE_FAILED", why)
                return
            stack.set_status("ROLLBACK_IN_PROGRESS", why + "Rollback requested by user.")
            failed = yield from _delete_resources(
                stack, list(stack.resources), keep=_RETAINS_ON_ROLLBACK
            )
            stack.set_status("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", why.strip())
            return
    stack.outputs = _outputs(scope)
    stack.set_status("CREATE_COMPLETE")


def update(
    stack: Stack,
    body: str,
    parameters: dict[str, str],
    tags: list[dict[str, str]],
    paced: bool = False,
) -> StackChange:
    """Update the resources to a template and parameters, or roll back."""
    before = {name: resource.properties for name, resource in stack.resources.items()}
    stack.changed = time.time()
    stack.set_status("UPDATE_IN_PROGRESS", _USER_INITIATED)
    yield from _wait(stack, paced)
    former_tags, stack.tags = stack.tags, tags
    try:
        scope = stack.scope(body, parameters)
        yield from _update_resources(stack, scope, scope.ordered_resources())
    except ResourceError as error:
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", str(error))
        stack.tags = former_tags
        yield from _delete_resources(
            stack, [n for n in stack.resources if n not in before], _RETAINS_ON_ROLLBACK
        )
        for name, properties in before.items():
            if stack.resources[name].properties != properties:
                yield from _update_resource(stack, stack.resources[name], properties)
        stack.set_status("UPDATE_ROLLBACK_COMPLETE")
        return
    stack.template, stack.parameters = body, parameters
    stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    gone = [name for name in stack.resources if name not in scope.ordered_resources()]
    yield from _delete_resources(stack, gone, keep=_RETAINS)
    for name in gone:
        del stack.resources[name]
    stack.outputs = _outputs(scope)
    stack.set_status("UPDATE_COMPLETE")


def delete(stack: Stack, retain: Iterable[str] = (), paced: bool = False) -> StackChange:
    """Delete the resources, the last first, except those to retain."""
    stack.set_status("DELETE_IN_PROGRESS", _USER_INITIATED)
    yield from _wait(stack, paced)
    for name in retain:
        stack.resources[name].deletion_policy = "Retain"
    failed = yield from _delete_resources(stack, list(stack.resources), keep=_RETAINS)
    if failed:
        names = ", ".join(failed)
        stack.set_status(
            "DELETE_FAILED", f"The following resource(s) failed to delete: [{names}]. "
        )
        return
    stack.deleted = time.time()
    stack.set_status("DELETE_COMPLETE")


def failure(stack: Stack) -> str:
    """Get the status reason of a stack instance whose stack failed; empty if it did not."""
    if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
        return ""
    # Only the latest change: earlier ones may have failed, too.
    begun = max(i for i, e in enumerate(stack.events) if e.reason == _USER_INITIATED)
    failed = next(e for e in stack.events[begun:] if e.status.endswith("_FAILED"))
    return (
        f"ResourceLogicalId:{failed.logical_id}, ResourceType:{failed.type},"
        f" ResourceStatusReason:{failed.reason}."
    )


def _wait(stack: Stack, paced: bool) -> StackChange:
    """Wait for as long as a stack takes; a shorter pace also applies to changes in progress."""
    started = time.time()
    while paced and time.time() < started + stack.actor.state.stack_seconds:
        yield


def _create_resource(
    stack: Stack, scope: TemplateScope, resource: Resource, declared: Mapping[str, Any]
) -> Generator[None, None, None]:
    resource_type = resources.find()[resource.type]
    stack.set_resource_status(resource, "CREATE_IN_PROGRESS")
    resource.properties = _properties(stack, scope, declared)
    resource.deletion_policy = declared.get("DeletionPolicy", "Delete")
    made = _call_handler(lambda: resource_type.create(stack.actor, resource.properties))
    _record_created(scope, resource, made)
    stack.set_resource_status(resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
    while not _call_handler(lambda: resource_type.is_stable(stack.actor, resource.physical_id)):
        yield
    stack.set_resource_status(resource, "CREATE_COMPLETE")


def _update_resources(
    stack: Stack, scope: TemplateScope, wanted: Mapping[str, Mapping[str, Any]]
) -> StackChange:
    for name, declared in wanted.items():
        known = stack.resources.get(name)
        if known is None:
            known = stack.resources[name] = Resource(name, declared["Type"], {})
            try:
                yield from _create_resource(stack, scope, known, declared)
            except ResourceError as error:
                stack.set_resource_status(known, "CREATE_FAILED", str(error))
                raise
            continue
        known.deletion_policy = declared.get("DeletionPolicy", "Delete")
        properties = _properties(stack, scope, declared)
        if properties != known.properties:
            try:
                yield from _update_resource(stack, known, properties)
            except ResourceError as error:
                stack.set_resource_status(known, "UPDATE_FAILED", str(error))
                raise
        scope.created[name] = {"Ref": known.physical_id, **known.attributes}


def _update_resource(
    stack: Stack, resource: Resource, properties: Mapping[str, Any]
) -> StackChange:
    resource_type = resources.find()[resource.type]
    replaces = any(
        resource.properties.get(n) != properties.get(n)
        for n in resource_type.replacement_properties
    )
    stack.set_resource_status(resource, "UPDATE_IN_PROGRESS")
    former = resource.physical_id
    if (
        replaces
        and (named := resource_type.name_property)
        and (
            resource.properties.get(named) is not None
            and resource.properties.get(named) == properties.get(named)
        )
    ):
        raise ResourceError(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing."
            f" Rename {former} and update the stack again."
        )
    if replaces:
        made = _call_handler(lambda: resource_type.create(stack.actor, properties))
    else:
        made = _call_handler(lambda: resource_type.update(stack.actor, former, properties))
    resource.physical_id, resource.attributes = made.physical_id, made.attributes
    resource.properties = properties
    while not _call_handler(lambda: resource_type.is_stable(stack.actor, resource.physical_id)):
        yield
    if replaces:
        _call_handler(lambda: resource_type.delete(stack.actor, former))
    stack.set_resource_status(resource, "UPDATE_COMPLETE")


def _delete_resources(
    stack: Stack, names: list[str], keep: tuple[str, ...]
) -> Generator[None, None, list[str]]:
    """Delete resources, the last first; return the logical ids of those that failed."""
    failed = []
    for resource in [stack.resources[name] for name in reversed(names)]:
        if not resource.physical_id or resource.status == "DELETE_COMPLETE":
            continue
        if resource.deletion_policy in keep:
            stack.set_resource_status(resource, "DELETE_SKIPPED")
            continue
        resource_type = resources.find()[resource.type]
        stack.set_resource_status(resource, "DELETE_IN_PROGRESS")
        try:
            _call_handler(lambda k=resource_type, r=resource: k.delete(stack.actor, r.physical_id))
            while not _call_handler(
                lambda k=resource_type, r=resource: k.is_stable(stack.actor, r.physical_id)
            ):
                yield
        except ResourceError as error:
            stack.set_resource_status(resource, "DELETE_FAILED", str(error))
            failed.append(resource.logical_id)
            continue
        stack.set_resource_status(resource, "DELETE_COMPLETE")
    return failed


def _properties(
    stack: Stack, scope: TemplateScope, declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Resolve a resource's properties, and add the stack's tags where the type has tags."""
    resource_type = resources.find()[declared["Type"]]
    properties: dict[str, Any] = _call_handler(
        lambda: scope.resolve(declared.get("Properties", {}))
    )
    if extraneous := sorted(properties.keys() - resource_type.properties):
        raise ResourceError(
            f"Properties validation failed for resource with message: #: extraneous key"
            f" [{extraneous[0]}] is not permitted"
        )
    if stack.tags and "Tags" in resource_type.properties:
        own = {tag["Key"] for tag in properties.get("Tags", [])}
        inherited = [tag for tag in stack.tags if tag["Key"] not in own]
        properties["Tags"] = [*properties.get("Tags", []), *inherited]
    return properties


def _record_created(scope: TemplateScope, resource: Resource, made: CreatedResource) -> None:
    resource.physical_id, resource.attributes = made.physical_id, made.attributes
    scope.created[resource.logical_id] = {"Ref": made.physical_id, **made.attributes}


def _outputs(scope: TemplateScope) -> dict[str, str]:
    return {
        name: str(scope.resolve(output["Value"]))
        for name, output in scope.template.get("Outputs", {}).items()
        if "Condition" not in output or scope.holds(output["Condition"])
    }


def _call_handler(do: Any) -> Any:
    """Call a resource type's function; convert errors to CloudFormation's.

    Raises:
        ResourceError: a service refused, or a required property is missing.
    """
    try:
        return do()
    except ServiceException as error:
        raise ResourceError(
            f'Resource handler returned message: "{error.message}" (RequestToken: {uuid.uuid4()},'
            f" HandlerErrorCode: {_HANDLER_CODES.get(error.code, 'GeneralServiceException')})"
        ) from None
    except KeyError as missing:
        raise ResourceError(
            "Properties validation failed for resource with message: #: required key"
            f" [{missing.args[0]}] not found"
        ) from None


_HANDLER_CODES = {
    "AccessDenied": "AccessDenied",
    "AccessDeniedException": "AccessDenied",
    "NameAlreadyExistsException": "AlreadyExists",
    "ValidationException": "InvalidRequest",
    "ValidationError": "InvalidRequest",
    "MalformedPolicyDocument": "InvalidRequest",
}
