"""Create, update and delete stacks, and roll back on failure.

A change is a generator that yields while it waits; every call to the sandbox resumes all of them
(``advance``).

Source: CloudFormation User Guide, "Stack failure options", "DeletionPolicy attribute", "Update
behaviors of stack resources".
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from orchestrator.sandbox import resources
from orchestrator.sandbox.resource_changes import (
    INITIATED,
    RETAINS,
    create_resource,
    delete_replaced,
    delete_resources,
    update_resource,
    update_resources,
)
from orchestrator.sandbox.resources import Actor, ResourceError
from orchestrator.sandbox.stack_outputs import check_attributes, set_outputs
from orchestrator.sandbox.stacks import Resource, Stack, StackChange
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.template import UNKNOWN, TemplateScope
from orchestrator.sandbox.template_format import checked_template
from orchestrator.sandbox.template_parser import TemplateError, transforms
from orchestrator.sandbox.wire import Call

USER_INITIATED: Final = "User Initiated"  # the reason of the first event of every change
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


def check_types_kept(stack: Stack, body: str, parameters: Mapping[str, str]) -> None:
    """Check that an update changes no resource's type.

    Raises:
        TemplateError: it changes one.
    """
    wanted = stack.scope(body, parameters, planning=True).ordered_resources()
    kept = stack.resources.keys() & wanted.keys()
    if changed := sorted(n for n in kept if stack.resources[n].type != wanted[n]["Type"]):
        raise TemplateError(
            "Update of resource type is not permitted. The new template modifies resource type of"
            f" the following resources: [{', '.join(changed)}]"
        )


def start(stack: Stack, change: StackChange, call: Call) -> None:
    """Start a change of a stack that a call asks for; its events have the call's token."""
    stack.change, stack.token = change, call.parameters.get("ClientRequestToken") or ""
    stack.actor.state.stacks_in_progress.append(stack)
    step(stack)


def advance(state: SandboxState) -> None:
    """Resume every change; the caller holds the state's lock."""
    for stack in state.stacks_in_progress:
        step(stack)
    state.stacks_in_progress = [
        stack for stack in state.stacks_in_progress if stack.change is not None
    ]


def run_to_completion(stack: Stack, change: StackChange) -> None:
    """Run a change to its end without waiting."""
    for _ in change:
        pass
    stack.change = None


def step(stack: Stack) -> None:
    """Resume a stack's change, if there is one."""
    if stack.change is not None and next(stack.change, StopIteration) is StopIteration:
        stack.change = None


def create(stack: Stack, paced: bool = False) -> StackChange:
    """Create the resources in the order of their dependencies, or roll back."""
    stack.set_status("CREATE_IN_PROGRESS", USER_INITIATED)
    yield from _wait(stack, paced)
    why = ""
    try:
        scope = stack.scope(stack.template, stack.parameters)
        stack.values = scope.values
        _check_transforms(stack, scope)
        _check_imports(stack, stack.template, stack.parameters)
        check_attributes(scope)
        for logical_id, declared in scope.ordered_resources().items():
            resource = Resource(logical_id, declared["Type"], {})
            stack.resources[logical_id] = resource
            try:
                yield from create_resource(stack, scope, resource, declared)
            except ResourceError as error:
                if error.physical_id:
                    resource.physical_id = error.physical_id
                    stack.set_resource_status(resource, "CREATE_IN_PROGRESS", INITIATED)
                stack.set_resource_status(resource, "CREATE_FAILED", str(error))
                why = f"The following resource(s) failed to create: [{logical_id}]. "
                break
        else:
            set_outputs(stack, scope)
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
    keep = () if stack.settings.get("RetainExceptOnCreate") else _RETAINS_ON_ROLLBACK
    failed = yield from delete_resources(stack, list(stack.resources), keep)
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
    before = stack.before_update or {n: replace(r) for n, r in stack.resources.items()}
    stack.changed = time.time()
    stack.set_status("UPDATE_IN_PROGRESS", USER_INITIATED)
    former_tags, stack.tags = stack.tags, tags
    try:
        yield from _wait(stack, paced)
        scope = stack.scope(body, parameters)
        _check_transforms(stack, scope)
        _check_imports(stack, body, parameters)
        yield from update_resources(stack, scope, scope.ordered_resources())
        set_outputs(stack, scope)
    except (ResourceError, TemplateError) as error:
        failed = [r for r in stack.resources.values() if r.status.endswith("_FAILED")]
        why = f"{error}. "
        if isinstance(error, ResourceError) and failed:
            verb = "create" if failed[0].status == "CREATE_FAILED" else "update"
            why = f"The following resource(s) failed to {verb}: [{failed[0].logical_id}]. "
        stack.tags = former_tags
        if stack.settings.get("DisableRollback"):
            stack.before_update = before
            stack.set_status("UPDATE_FAILED", why)
            return
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", why)
        yield from roll_back_update(stack, before)
        return
    stack.template, stack.parameters, stack.values = body, parameters, scope.values
    stack.before_update = {}
    stack.set_status("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    gone = [name for name in stack.resources if name not in scope.ordered_resources()]
    yield from delete_resources(stack, gone, keep=RETAINS)
    for name in gone:
        del stack.resources[name]
    yield from delete_replaced(stack)
    stack.set_status("UPDATE_COMPLETE")


def _check_transforms(stack: Stack, scope: TemplateScope) -> None:
    """Check that a template names only macros of AWS: the sandbox has no others.

    Raises:
        TemplateError: the template names a macro that does not exist.
    """
    if others := [name for name in transforms(scope.template) if not name.startswith("AWS::")]:
        raise TemplateError(f"No transform named {stack.actor.account_id}::{others[0]} found.")


def _check_imports(stack: Stack, body: str, parameters: Mapping[str, str]) -> None:
    """Check that what a template imports is exported, before any resource is changed.

    Raises:
        TemplateError: it is not.
    """
    if "ImportValue" not in body:
        return
    planned = stack.scope(body, parameters, planning=True)
    planned.check_references()
    for export in sorted(planned.imported - planned.exports.keys() - {UNKNOWN}):
        raise TemplateError(f"No export named {export} found")


def roll_back(stack: Stack) -> StackChange:
    """Set a failed stack back to its last stable state; delete one that never had any."""
    if any(e.physical_id == stack.id and e.status.endswith("_COMPLETE") for e in stack.events):
        stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", USER_INITIATED)
        yield from roll_back_update(stack, stack.before_update)
    else:
        yield from _delete_all(stack, USER_INITIATED)


def continue_rollback(stack: Stack, skipped: Collection[str]) -> StackChange:
    """Retry a failed rollback of an update; the skipped resources stay as they are now."""
    stack.set_status("UPDATE_ROLLBACK_IN_PROGRESS", USER_INITIATED)
    for name in skipped:
        stack.before_update[name] = stack.resources[name]
        stack.set_resource_status(stack.resources[name], "UPDATE_COMPLETE")
    yield from roll_back_update(stack, stack.before_update)


def roll_back_update(stack: Stack, before: dict[str, Resource]) -> StackChange:
    """Restore the former resources, then delete new ones; fail if one cannot be restored."""
    failed = []
    for name, former in before.items():
        present = stack.resources[name]
        if present.physical_id != former.physical_id:  # the former one is still there
            stack.replaced = [r for r in stack.replaced if r.physical_id != former.physical_id]
            stack.replaced.append(present)
            stack.resources[name] = former
            stack.set_resource_status(former, "UPDATE_COMPLETE")
        elif present.properties != former.properties or present.status == "UPDATE_FAILED":
            try:
                yield from update_resource(stack, present, former.properties)
            except ResourceError as error:
                stack.set_resource_status(present, "UPDATE_FAILED", str(error))
                failed.append(name)
    stack.before_update = before if failed else {}
    if failed:
        why = f"The following resource(s) failed to update: [{', '.join(failed)}]. "
        stack.set_status("UPDATE_ROLLBACK_FAILED", why)
        return
    stack.set_status("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    new = [name for name in stack.resources if name not in before]
    yield from delete_resources(stack, new, _RETAINS_ON_ROLLBACK)
    for name in new:
        del stack.resources[name]
    yield from delete_replaced(stack)
    stack.set_status("UPDATE_ROLLBACK_COMPLETE")


def cancel(stack: Stack) -> None:
    """Cancel an update, which is rolled back."""
    if stack.change is not None:
        with suppress(StopIteration):  # a rollback that changes nothing ends at once
            stack.change.throw(ResourceError(USER_INITIATED))
            return
        stack.change = None


def delete(stack: Stack, retain: Iterable[str] = (), paced: bool = False) -> StackChange:
    """Delete the resources, the last first, except those to retain."""
    for name in retain:
        stack.resources[name].deletion_policy = "Retain"
    yield from _delete_all(stack, USER_INITIATED, paced)


def _delete_all(stack: Stack, reason: str, paced: bool = False) -> StackChange:
    stack.deletion_started = time.time()
    stack.set_status("DELETE_IN_PROGRESS", reason)
    yield from _wait(stack, paced)
    failed = yield from delete_resources(stack, list(stack.resources), keep=RETAINS)
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
