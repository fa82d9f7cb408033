"""CloudFormation: create, update and delete stacks.

Source: CloudFormation API Reference, CreateStack, UpdateStack, DeleteStack.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.sandbox import stack_changes, stacks
from orchestrator.sandbox.change_sets import ChangeSet
from orchestrator.sandbox.services import Operation, Permission
from orchestrator.sandbox.stack_arguments import (
    actor_of,
    check_capabilities,
    check_name,
    check_stack,
    given_parameters,
    invalid,
    previous_values,
    settings_of,
    stack_of,
)
from orchestrator.sandbox.stacks import Stack
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.template_parser import TemplateError, parse_template
from orchestrator.sandbox.template_source import body_of
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "cloudformation"
_WITH_ROLE = ("CreateStack", "UpdateStack", "CreateChangeSet")
_FAILED = ("CREATE_FAILED", "UPDATE_FAILED")  # after changes that were not rolled back
_UPDATED_SETTINGS = ("NotificationARNs", "RollbackConfiguration")


def permissions(_state: SandboxState, call: Call) -> Iterator[Permission]:
    """Yield what a stack with a role needs: to pass that role."""
    if call.operation in _WITH_ROLE and call.parameters.get("RoleARN"):
        passed_to = {"iam:PassedToService": "cloudformation.amazonaws.com"}
        yield Permission("iam:PassRole", call.parameters["RoleARN"], passed_to)


def create(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateStack: also one that only change sets are there for."""
    arguments, name = call.parameters, call.parameters["StackName"]
    check_name(name)
    known = stacks.find(state, call.caller.account_id, call.region, name)
    if known is not None and arguments.get("ClientRequestToken", "") == known.token != "":
        return {"StackId": known.id}  # the same request again
    if known is not None and known.status != "REVIEW_IN_PROGRESS":
        raise ServiceError("AlreadyExistsException", f"Stack [{name}] already exists")
    body, actor = body_of(state, call), actor_of(state, call)
    parameters = given_parameters(arguments, {})
    check_stack(actor, name, body, parameters, arguments)
    check_capabilities(body, arguments.get("Capabilities", []))
    if "OnFailure" in arguments and "DisableRollback" in arguments:
        raise invalid("You can specify either DisableRollback or OnFailure, but not both.")
    stack = known or Stack(actor, name, body, parameters)
    if known is None:
        stacks.of(state, call.caller.account_id, call.region).append(stack)
    stack.template, stack.parameters, stack.actor = body, parameters, actor
    stack.tags, stack.capabilities = arguments.get("Tags", []), arguments.get("Capabilities", [])
    stack.settings, stack.policy = settings_of(arguments), arguments.get("StackPolicyBody")
    stack.rollback_on_failure = (
        not arguments.get("DisableRollback") and arguments.get("OnFailure") != "DO_NOTHING"
    )
    make_obsolete(stack)
    stack_changes.start(stack, stack_changes.create(stack, paced=True), call)
    return {"StackId": stack.id}


def update(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateStack: an update that changes nothing is an error."""
    stack, arguments = stack_of(state, call), call.parameters
    check_updatable(stack)
    check_not_failed(stack, call)
    body = body_of(state, call, stack.template)
    parameters = given_parameters(arguments, previous_values(stack))
    tags = arguments.get("Tags", stack.tags)
    actor = actor_of(state, call)
    check_stack(actor, stack.name, body, parameters, arguments)
    check_capabilities(body, arguments.get("Capabilities", []))
    try:
        stack_changes.check_types_kept(stack, body, parameters)
    except TemplateError as error:
        raise invalid(str(error)) from None
    settings = {**stack.settings, **settings_of(arguments)}
    same = all(settings.get(name) == stack.settings.get(name) for name in _UPDATED_SETTINGS)
    always = "Transform" in parse_template(body) or stack.status in _FAILED
    if same and not always and not stack.would_change(body, parameters, tags):
        raise invalid("No updates are to be performed.")
    stack.actor, stack.change_set_id = actor, ""
    stack.capabilities = arguments.get("Capabilities", stack.capabilities)
    stack.policy_of_update = arguments.get("StackPolicyDuringUpdateBody", stack.policy)
    stack.settings, stack.policy = settings, arguments.get("StackPolicyBody", stack.policy)
    stack.settings["DisableRollback"] = bool(arguments.get("DisableRollback"))
    make_obsolete(stack)
    change = stack_changes.update(stack, body, parameters, tags, paced=True)
    stack_changes.start(stack, change, call)
    return {"StackId": stack.id}


def check_updatable(stack: Stack) -> None:
    """Check that a stack's status allows an update, or a change set for one.

    Raises:
        ServiceError: ValidationError.
    """
    complete = stack.status.endswith("_COMPLETE") or stack.status in _FAILED
    if not complete or stack.status.startswith(("ROLLBACK", "DELETE")):
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def check_not_failed(stack: Stack, call: Call) -> None:
    """Check that a stack whose change has failed, and stayed, is updated without a rollback.

    Raises:
        ServiceError: ValidationError.
    """
    if stack.status not in _FAILED:
        return
    if stack.status == "CREATE_FAILED" and stack.settings.get("OnFailure") == "DO_NOTHING":
        raise invalid(
            "This stack cannot be updated from [CREATE_FAILED] state because it contains"
            " [on-failure: DO_NOTHING]. Please use disable-rollback option instead during stack"
            " creation."
        )
    if not call.parameters.get("DisableRollback"):
        raise invalid(
            f"This stack is currently in a non-terminal [{stack.status}] state. To update the"
            " stack from this state, please use the disable-rollback parameter with update-stack"
            " API. To rollback to the last known good state, use the rollback-stack API"
        )


def delete(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteStack: deleting a stack that does not exist succeeds."""
    name, retain = call.parameters["StackName"], call.parameters.get("RetainResources", [])
    stack = stacks.find(state, call.caller.account_id, call.region, name)
    if stack is None or stack.deleted is not None or stack.status == "DELETE_IN_PROGRESS":
        return {}
    if stack.settings.get("EnableTerminationProtection"):
        raise invalid(
            f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
        )
    if stack.status.startswith("UPDATE_") and stack.status.endswith("_IN_PROGRESS"):
        raise invalid(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
    forced = call.parameters.get("DeletionMode") == "FORCE_DELETE_STACK"
    if forced and stack.status != "DELETE_FAILED":
        raise invalid(
            f"Invalid operation on stack [{stack.id}]. When you delete a stack, specify"
            " FORCE_DELETE_STACK only when the stack is in the DELETE_FAILED state."
        )
    if retain and stack.status != "DELETE_FAILED":
        raise invalid(
            f"Invalid operation on stack [{stack.id}]. When you delete a stack, specify which"
            " resources to retain only when the stack is in the DELETE_FAILED state."
        )
    if unknown := sorted(set(retain) - stack.resources.keys()):
        raise invalid(f"The specified resources [{', '.join(unknown)}] do not exist in the stack.")
    for export in stack.exports:
        if used := stacks.importers(stack, export):
            stack.set_status(
                stack.status,
                f"Delete canceled. Cannot delete export {export} as it is in use by"
                f" {', '.join(used)}.",
            )
            return {}
    if forced:
        retain = [n for n, found in stack.resources.items() if found.status == "DELETE_FAILED"]
    stack.actor = actor_of(state, call)
    stack_changes.start(stack, stack_changes.delete(stack, retain, paced=True), call)
    return {}


def cancel(state: SandboxState, call: Call) -> dict[str, Any]:
    """CancelUpdateStack: the update is rolled back."""
    stack = stack_of(state, call)
    if stack.status != "UPDATE_IN_PROGRESS":
        raise invalid("CancelUpdateStack cannot be called from current stack status")
    stack_changes.cancel(stack)
    return {}


def make_obsolete(stack: Stack, but: ChangeSet | None = None) -> None:
    """Make the change sets of a stack obsolete, since the stack changes."""
    for other in stack.change_sets:
        if other is not but and other.execution == "AVAILABLE":
            other.execution = "OBSOLETE"


def continue_rollback(state: SandboxState, call: Call) -> dict[str, Any]:
    """ContinueUpdateRollback: with the caller's permissions, or without the resources to skip."""
    stack, skipped = stack_of(state, call), call.parameters.get("ResourcesToSkip") or []
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not continue rollback.")
    if unknown := sorted(set(skipped) - stack.before_update.keys()):
        raise invalid(f"The specified resources [{', '.join(unknown)}] do not exist in the stack.")
    stack.actor = actor_of(state, call)
    stack_changes.start(stack, stack_changes.continue_rollback(stack, skipped), call)
    return {}


def roll_back(state: SandboxState, call: Call) -> dict[str, Any]:
    """RollbackStack: set back a stack whose change has failed without a rollback."""
    stack = stack_of(state, call)
    if stack.status not in _FAILED:
        raise invalid("RollbackStack cannot be called from current stack status")
    stack.actor = actor_of(state, call)
    stack_changes.start(stack, stack_changes.roll_back(stack), call)
    return {"StackId": stack.id}


def signal(state: SandboxState, call: Call) -> dict[str, Any]:
    """SignalResource: nothing in the sandbox waits for signals."""
    stack, logical = stack_of(state, call), call.parameters["LogicalResourceId"]
    if not stack.status.endswith("_IN_PROGRESS"):
        raise invalid(f"Stack {stack.id} is in {stack.status} state and cannot be signaled")
    if logical not in stack.resources:
        raise invalid(f"Resource {logical} does not exist for stack {stack.name}")
    return {}


OPERATIONS: dict[str, Operation] = {
    "CancelUpdateStack": cancel,
    "ContinueUpdateRollback": continue_rollback,
    "CreateStack": create,
    "DeleteStack": delete,
    "RollbackStack": roll_back,
    "SignalResource": signal,
    "UpdateStack": update,
}
