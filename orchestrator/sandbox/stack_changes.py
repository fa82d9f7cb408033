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
from dataclasses import replace
from typing import Any, Final

from moto.core.exceptions import ServiceException

from orchestrator.sandbox import resources, stacks
from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceError
from orchestrator.sandbox.stack_policy import denial
from orchestrator.sandbox.stacks import Resource, Stack, StackChange
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.template import TemplateScope
from orchestrator.sandbox.template_format import checked_template
from orchestrator.sandbox.template_parameters import text_of
from orchestrator.sandbox.template_parser import TemplateError
from orchestrator.sandbox.template_references import references

USER_INITIATED: Final = "User Initiated"  # the reason of the first event of every change
_INITIATED = "Resource creation Initiated"
_RETAINS = ("Retain", "RetainExceptOnCreate")
_RETAINS_ON_ROLLBACK = ("Retain",)  # a new resource is deleted even with RetainExceptOnCreate


def check(actor: Actor, name: str, body: str, parameters: Mapping[str, str]) -> None:
    """Validate a template and parameters before anything is created or changed.

    Raises:
        TemplateError: CloudFormation would refuse them.
    """
    check_types(checked_template(body), actor.region)
    scope = Stack(actor, name, body, {}).scope(body, parameters, planning=True)
    scope.check_references()
    scope.check_rules()
    scope.ordered_resources()


def check_types(template: Mapping[str, Any], region: str) -> None:
    """Check that a region knows the types of a template's resources.

    Raises:
        TemplateError: it does not.
    """
    types = {resource["Type"] for resource in template["Resources"].values()}
    unknown = [type_ for type_ in types if not resources.is_recognized(type_, region)]
    if unknown:
        raise TemplateError(
            f"Template format error: Unrecognized resource types: [{', '.join(sorted(unknown))}]"
        )


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
    stack.set_status("CREATE_IN_PROGRESS", USER_INITIATED)
    yield from _wait(stack, paced)
    why = ""
    try:
        scope = stack.scope(stack.template, stack.parameters)
        _check_attributes(scope)
        for logical_id, declared in scope.ordered_resources().items():
            resource = Resource(logical_id, declared["Type"], {})
            stack.resources[logical_id] = resource
            try:
                yield from _create_resource(stack, scope, resource, declared)
            except ResourceError as error:
                if error.physical_id:
                    resource.physical_id = error.physical_id
                    stack.set_resource_status(resource, "CREATE_IN_PROGRESS", _INITIATED)
                stack.set_resource_status(resource, "CREATE_FAILED", str(error))
                why = f"The following resource(s) failed to create: [{logical_id}]. "
                break
        else:
            _set_outputs(stack, scope)
    except TemplateError as error:
        why = f"{error}. "
    if not why:
        stack.set_status("CREATE_COMPLETE")
    elif not stack.rollback_on_failure:
        stack.set_status("CREATE_FAILED", why)
    elif stack.settings.get("OnFailure") == "DELETE":
        yield from _delete_all(stack, why + "Delete requested by user.")
    else:
        yield from _roll_back_creation(stack, why)


def _roll_back_creation(stack: Stack, why: str) -> StackChange:
    stack.deletion_started = time.time()
    stack.set_status("ROLLBACK_IN_PROGRESS", f"{why}Rollback requested by user.")
    failed = yield from _delete_resources(stack, list(stack.resources), keep=_RETAINS_ON_ROLLBACK)
    if failed:
        stack.set_status("ROLLBACK_FAILED", _not_deleted(failed))
        return
    stack.set_status("ROLLBACK_COMPLETE")
    stack.reason = why.strip()


def update(
    stack: Stack,
    body: str,
    parameters: dict[str, str],
    tags: list[dict[str, str]],
    paced: bool = False,
) -> StackChange:
    """Update the resources to a template and parameters, or roll back."""
    before = {name: replace(resource) for name, resource in stack.resources.items()}
    stack.changed = time.time()
    stack.set_status("UPDATE_IN_PROGRESS", USER_INITIATED)
    former_tags, stack.tags = stack.tags, tags
    former = stack.outputs, stack.exports, stack.imports
    try:
        yield from _wait(stack, paced)
        scope = stack.scope(body, parameters)
        yield from _update_resources(stack, scope, scope.ordered_resources())
        _set_outputs(stack, scope)
    except (ResourceError, TemplateError) as error:
        failed = [r for r in stack.resources.values() if r.status.endswith("_FAILED")]
        why = f"{error}. "
        if isinstance(error, ResourceError) and failed:
            verb = "create" if failed[0].status == "CREATE_FAILED" else "update"
            why = f"The following resource(s) failed to {verb}: [{failed[0].logical_id}]. "
        if stack.settings.get("DisableRollback"):
            stack.set_status("UPDATE_FAILED", why)
            return
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", why)
        stack.tags = former_tags
        stack.outputs, stack.exports, stack.imports = former
        yield from _roll_back_update(stack, before)
        return
    stack.template, stack.parameters = body, parameters
    stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    gone = [name for name in stack.resources if name not in scope.ordered_resources()]
    yield from _delete_resources(stack, gone, keep=_RETAINS)
    for name in gone:
        del stack.resources[name]
    yield from _delete_replaced(stack)
    stack.set_status("UPDATE_COMPLETE")


def _roll_back_update(stack: Stack, before: Mapping[str, Resource]) -> StackChange:
    for name, former in before.items():
        present = stack.resources[name]
        if present.physical_id != former.physical_id:  # the former one is still there
            stack.replaced = [r for r in stack.replaced if r.physical_id != former.physical_id]
            stack.replaced.append(present)
            stack.resources[name] = former
            stack.set_resource_status(former, "UPDATE_COMPLETE")
        elif present.properties != former.properties or present.status == "UPDATE_FAILED":
            yield from _update_resource(stack, present, former.properties)
    stack.set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    new = [name for name in stack.resources if name not in before]
    yield from _delete_resources(stack, new, _RETAINS_ON_ROLLBACK)
    for name in new:
        del stack.resources[name]
    yield from _delete_replaced(stack)
    stack.set_status("UPDATE_ROLLBACK_COMPLETE")


def cancel(stack: Stack) -> None:
    """Cancel an update, which is rolled back."""
    if stack.change is not None:
        stack.change.throw(ResourceError(USER_INITIATED))


def delete(stack: Stack, retain: Iterable[str] = (), paced: bool = False) -> StackChange:
    """Delete the resources, the last first, except those to retain."""
    for name in retain:
        stack.resources[name].deletion_policy = "Retain"
    yield from _delete_all(stack, USER_INITIATED, paced)


def _delete_all(stack: Stack, reason: str, paced: bool = False) -> StackChange:
    stack.deletion_started = time.time()
    stack.set_status("DELETE_IN_PROGRESS", reason)
    yield from _wait(stack, paced)
    failed = yield from _delete_resources(stack, list(stack.resources), keep=_RETAINS)
    if failed:
        stack.set_status("DELETE_FAILED", _not_deleted(failed))
        return
    stack.deleted = stack.deletion_started
    stack.set_status("DELETE_COMPLETE")


def _not_deleted(names: list[str]) -> str:
    return f"The following resource(s) failed to delete: [{', '.join(names)}]. "


def failure(stack: Stack) -> str:
    """Get the status reason of a stack instance whose stack failed; empty if it did not."""
    if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"):
        return ""
    # Only the latest change: earlier ones may have failed, too.
    begun = max(i for i, e in enumerate(stack.events) if e.reason == USER_INITIATED)
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
        lambda: resource_type.create(_creator(stack, resource), resource.properties)
    )
    _record_created(scope, resource, made)
    stack.set_resource_status(resource, "CREATE_IN_PROGRESS", _INITIATED)
    while not _call_handler(lambda: resource_type.is_stable(stack.actor, resource.physical_id)):
        yield
    stack.set_resource_status(resource, "CREATE_COMPLETE")


def _set_policies(scope: TemplateScope, resource: Resource, declared: Mapping[str, Any]) -> None:
    resource.deletion_policy = scope.resolve(declared.get("DeletionPolicy", "Delete"))
    resource.replace_policy = scope.resolve(declared.get("UpdateReplacePolicy", "Delete"))
    resource.metadata = scope.resolve(declared.get("Metadata", {}))


def _creator(stack: Stack, resource: Resource) -> Actor:
    """Get the actor that creates a resource, with the name that CloudFormation would give it."""
    unique = uuid.uuid4().hex[:12]
    return replace(stack.actor, new_name=f"{stack.name}-{resource.logical_id}-{unique}")


def _update_resources(
    stack: Stack, scope: TemplateScope, wanted: Mapping[str, Mapping[str, Any]]
) -> StackChange:
    for name in [name for name in stack.resources if name not in wanted]:
        gone = stack.resources[name]
        try:
            _check_policy(stack, gone, "Update:Delete")
        except ResourceError as error:
            stack.set_resource_status(gone, "UPDATE_FAILED", str(error))
            raise
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
        _set_policies(scope, known, declared)
        properties, former = _properties(stack, scope, declared), known.properties
        if properties != known.properties:
            try:
                yield from _update_resource(stack, known, properties)
            except ResourceError as error:
                stack.set_resource_status(known, "UPDATE_FAILED", str(error))
                known.properties = former  # which the rollback sets
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
    former = replace(resource)
    resource.properties = properties
    _check_policy(stack, resource, "Update:Replace" if replaces else "Update:Modify")
    if not replaces:
        stack.set_resource_status(resource, "UPDATE_IN_PROGRESS")
        made = _call_handler(
            lambda: resource_type.update(stack.actor, former.physical_id, properties)
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
        made = _call_handler(lambda: resource_type.create(_creator(stack, resource), properties))
        stack.replaced.append(former)
    resource.physical_id, resource.attributes = made.physical_id, made.attributes
    if replaces:
        stack.set_resource_status(resource, "UPDATE_IN_PROGRESS", _INITIATED)
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


def _delete_replaced(stack: Stack) -> StackChange:
    for resource in stack.replaced:
        resource.deletion_policy, resource.properties = resource.replace_policy, {}
        yield from _delete_resource(stack, resource, keep=_RETAINS)
    stack.replaced = []


def _delete_resources(
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
    if extraneous := sorted(properties.keys() - resource_type.properties):
        raise ResourceError(
            f"Properties validation failed for resource with message: #: extraneous key"
            f" [{extraneous[0]}] is not permitted"
        )
    if stack.tags and resource_type.tags_are_map:
        inherited_tags = {tag["Key"]: tag["Value"] for tag in stack.tags}
        properties["Tags"] = {**inherited_tags, **properties.get("Tags", {})}
    elif stack.tags and "Tags" in resource_type.properties:
        own = {tag["Key"] for tag in properties.get("Tags", [])}
        inherited = [tag for tag in stack.tags if tag["Key"] not in own]
        properties["Tags"] = [*properties.get("Tags", []), *inherited]
    return properties


def _record_created(scope: TemplateScope, resource: Resource, made: CreatedResource) -> None:
    resource.physical_id, resource.attributes = made.physical_id, made.attributes
    scope.created[resource.logical_id] = {"Ref": made.physical_id, **made.attributes}


def _check_attributes(scope: TemplateScope) -> None:
    """Check that the resources have the attributes that outputs name.

    Raises:
        TemplateError: one has not.
    """
    declared = scope.template["Resources"]
    for name, output in scope.outputs().items():
        for found in references(output["Value"]):
            if not found.attribute or found.function != "Fn::GetAtt":
                continue
            type_ = declared[found.name]["Type"]
            known = resources.attributes_of(type_)
            if known and found.attribute not in known:
                raise TemplateError(
                    f"[Error] /Outputs/{name}/Value/Fn::GetAtt: Resource type {type_} does not"
                    f" support attribute {{{found.attribute}}}"
                )


def _set_outputs(stack: Stack, scope: TemplateScope) -> None:
    """Set the stack's outputs and exports.

    Raises:
        TemplateError: another stack imports an export that would change, or exports one.
    """
    made, exported = {}, {}
    for name, output in scope.outputs().items():
        made[name] = text_of(scope.resolve(output["Value"]))
        if export := scope.resolve(output.get("Export", {})).get("Name"):
            exported[export] = made[name]
            if not made[name].strip():
                raise TemplateError(
                    f"Cannot export output {name}. Exported values must not be empty or"
                    " whitespace-only"
                )
    state, account_id, region = stack.actor.state, stack.actor.account_id, stack.actor.region
    for export, (owner, _) in stacks.exports(state, account_id, region).items():
        if export in exported and owner != stack.id:
            name = owner.split("/")[1]
            raise TemplateError(f"Export with name {export} is already exported by stack {name}")
    for export, value in stack.exports.items():
        if exported.get(export) != value and (used := stacks.importers(stack, export)):
            verb = "updated" if export in exported else "deleted"
            raise TemplateError(
                f"Export {export} cannot be {verb} as it is in use by {', '.join(used)}"
            )
    stack.outputs, stack.exports, stack.imports = made, exported, scope.imported


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
