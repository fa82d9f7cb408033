"""Create, update and delete the resources of a stack.

Each change is a generator that yields while it waits for a resource.

Source: CloudFormation User Guide, "Update behaviors of stack resources", "DeletionPolicy
attribute", "UpdateReplacePolicy attribute"; recorded events.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Final

from moto.core.exceptions import ServiceException

from orchestrator.sandbox import dynamic_references, resources
from orchestrator.sandbox.resources import Actor, ResourceError
from orchestrator.sandbox.stack_policy import denial
from orchestrator.sandbox.stacks import Resource, Stack, StackChange
from orchestrator.sandbox.template import TemplateScope

INITIATED: Final = "Resource creation Initiated"
RETAINS: Final = ("Retain", "RetainExceptOnCreate")


def create_resource(
    stack: Stack, scope: TemplateScope, resource: Resource, declared: Mapping[str, Any]
) -> Generator[None, None, None]:
    """Create a resource; raise ResourceError if that fails."""
    if resource.type not in resources.find():
        stack.set_resource_status(resource, "CREATE_IN_PROGRESS")
        raise ResourceError(f"The sandbox cannot create resources of the type {resource.type}.")
    resource_type = resources.find()[resource.type]
    try:
        resource.properties = _properties(stack, scope, declared)
    finally:
        stack.set_resource_status(resource, "CREATE_IN_PROGRESS")
    _set_policies(scope, resource, declared)
    made = _call_handler(
        lambda: resource_type.create(
            _creator(stack, resource),
            dynamic_references.with_secrets(stack.actor, resource.properties),
        )
    )
    resource.physical_id, resource.attributes = made.physical_id, made.attributes
    stack.set_resource_status(resource, "CREATE_IN_PROGRESS", INITIATED)
    while not _call_handler(lambda: resource_type.is_stable(stack.actor, resource.physical_id)):
        yield
    scope.created[resource.logical_id] = {"Ref": resource.physical_id, **resource.attributes}
    stack.set_resource_status(resource, "CREATE_COMPLETE")


def _set_policies(scope: TemplateScope, resource: Resource, declared: Mapping[str, Any]) -> None:
    resource.deletion_policy = scope.resolve(declared.get("DeletionPolicy", "Delete"))
    resource.replace_policy = scope.resolve(declared.get("UpdateReplacePolicy", "Delete"))
    resource.metadata = scope.resolve(declared.get("Metadata", {}))


def _creator(stack: Stack, resource: Resource) -> Actor:
    """Get the actor that creates a resource, with the name that CloudFormation would give it."""
    unique = uuid.uuid4().hex[:12]
    name = f"{stack.name}-{resource.logical_id}-{unique}"
    return replace(stack.actor, new_name=name, stack_id=stack.id)


def update_resources(
    stack: Stack, scope: TemplateScope, wanted: Mapping[str, Mapping[str, Any]]
) -> StackChange:
    """Create, update and replace resources to those of a template."""
    for name in [name for name in stack.resources if name not in wanted]:
        gone = stack.resources[name]
        try:
            _check_policy(stack, gone, "Update:Delete")
        except ResourceError as error:
            stack.set_resource_status(gone, "UPDATE_FAILED", str(error))
            raise
    for name, declared in wanted.items():
        known = stack.resources.get(name)
        if known is None or known.status == "CREATE_FAILED":
            known = stack.resources[name] = Resource(name, declared["Type"], {})
            try:
                yield from create_resource(stack, scope, known, declared)
            except ResourceError as error:
                stack.set_resource_status(known, "CREATE_FAILED", str(error))
                raise
            continue
        _set_policies(scope, known, declared)
        properties, former = _properties(stack, scope, declared), known.properties
        if properties != known.properties:
            try:
                yield from update_resource(stack, known, properties)
            except ResourceError as error:
                stack.set_resource_status(known, "UPDATE_FAILED", str(error))
                known.properties = former  # which the rollback sets
                raise
        scope.created[name] = {"Ref": known.physical_id, **known.attributes}


def update_resource(stack: Stack, resource: Resource, properties: Mapping[str, Any]) -> StackChange:
    """Update a resource in place, or replace it if a property asks for that."""
    resource_type = resources.find()[resource.type]
    replaces = any(
        resource.properties.get(n) != properties.get(n)
        for n in resource_type.replacement_properties
    )
    former = replace(resource)
    resource.properties = properties
    _check_policy(stack, resource, "Update:Replace" if replaces else "Update:Modify")
    if not replaces:
        stack.set_resource_status(resource, "UPDATE_IN_PROGRESS")
        made = _call_handler(
            lambda: resource_type.update(
                stack.actor,
                former.physical_id,
                dynamic_references.with_secrets(stack.actor, properties),
            )
        )
    else:
        stack.set_resource_status(
            resource,
            "UPDATE_IN_PROGRESS",
            "Requested update requires the creation of a new physical resource; hence creating"
            " one.",
        )
        named = resource_type.name_property
        if properties.get(named) and former.properties.get(named) == properties[named]:
            raise ResourceError(
                "CloudFormation cannot update a stack when a custom-named resource requires"
                f" replacing. Rename {former.physical_id} and update the stack again."
            )
        made = _call_handler(
            lambda: resource_type.create(
                _creator(stack, resource), dynamic_references.with_secrets(stack.actor, properties)
            )
        )
        stack.replaced.append(former)
    resource.physical_id, resource.attributes = made.physical_id, made.attributes
    if replaces:
        stack.set_resource_status(resource, "UPDATE_IN_PROGRESS", INITIATED)
    while not _call_handler(lambda: resource_type.is_stable(stack.actor, resource.physical_id)):
        yield
    stack.set_resource_status(resource, "UPDATE_COMPLETE")


def _check_policy(stack: Stack, resource: Resource, action: str) -> None:
    """Check that the stack's policy allows an update's action; rollbacks are allowed.

    Raises:
        ResourceError: it does not.
    """
    if stack.status != "UPDATE_IN_PROGRESS":
        return
    if why := denial(stack.policy_of_update, resource.logical_id, resource.type, action):
        raise ResourceError(why)


def delete_replaced(stack: Stack) -> StackChange:
    """Delete the former resources of an update, but those to retain."""
    for resource in stack.replaced:
        resource.deletion_policy, resource.properties = resource.replace_policy, {}
        yield from _delete_resource(stack, resource, keep=RETAINS)
    stack.replaced = []


def delete_resources(
    stack: Stack, names: list[str], keep: tuple[str, ...]
) -> Generator[None, None, list[str]]:
    """Delete resources, the last first; return the logical ids of those that failed."""
    failed = []
    for resource in [stack.resources[name] for name in reversed(names)]:
        if resource.status == "DELETE_COMPLETE":
            continue
        if not (yield from _delete_resource(stack, resource, keep)):
            failed.append(resource.logical_id)
    return failed


def _delete_resource(
    stack: Stack, resource: Resource, keep: tuple[str, ...]
) -> Generator[None, None, bool]:
    """Delete a resource; whether it is gone or kept. What was not created has nothing to delete."""
    if resource.deletion_policy in keep:
        stack.set_resource_status(resource, "DELETE_SKIPPED")
        return True
    if resource.physical_id:
        kind = resources.find()[resource.type]
        stack.set_resource_status(resource, "DELETE_IN_PROGRESS")
        try:
            _call_handler(lambda: kind.delete(stack.actor, resource.physical_id))
            while not _call_handler(lambda: kind.is_stable(stack.actor, resource.physical_id)):
                yield
        except ResourceError as error:
            stack.set_resource_status(resource, "DELETE_FAILED", str(error))
            return False
    stack.set_resource_status(resource, "DELETE_COMPLETE")
    return True


def _properties(
    stack: Stack, scope: TemplateScope, declared: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Resolve a resource's properties, and add the stack's tags where the type has tags."""
    resource_type = resources.find()[declared["Type"]]
    properties: dict[str, Any] = _call_handler(
        lambda: scope.resolve(declared.get("Properties", {}))
    )
    if unknown := sorted(properties.keys() & resource_type.unknown_properties):
        raise ResourceError(
            f"The sandbox cannot set the property {unknown[0]} of {declared['Type']}."
        )
    if extraneous := sorted(properties.keys() - resource_type.properties):
        raise ResourceError(
            f"Properties validation failed for resource with message: #: extraneous key"
            f" [{extraneous[0]}] is not permitted"
        )
    properties = dynamic_references.with_stored(stack.actor, properties)
    if stack.tags and resource_type.tags_are_map:
        inherited_tags = {tag["Key"]: tag["Value"] for tag in stack.tags}
        properties["Tags"] = {**inherited_tags, **properties.get("Tags", {})}
    elif stack.tags and "Tags" in resource_type.properties:
        own = {tag["Key"] for tag in properties.get("Tags", [])}
        inherited = [tag for tag in stack.tags if tag["Key"] not in own]
        properties["Tags"] = [*properties.get("Tags", []), *inherited]
    return properties


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
    "NoSuchEntity": "NotFound",
    "MalformedPolicyDocumentException": "InvalidRequest",
}
