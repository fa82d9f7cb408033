"""Run StackSet operations: create, update and delete stacks in the linked accounts.

Every call to the sandbox advances the operations (``advance``): as many accounts at a time as
their preferences allow, each taking ``SandboxState.stack_seconds``.

Source: CloudFormation User Guide, "StackSets concepts" and "Concurrency mode"; API Reference,
StackSetOperationPreferences, DeploymentTargets, StackInstanceComprehensiveStatus.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Iterable

from moto.core.exceptions import ServiceException

from orchestrator.sandbox import drift, stack_changes, stacks
from orchestrator.sandbox.organization import PAYER, grant_management_access
from orchestrator.sandbox.resources import Actor
from orchestrator.sandbox.stack_arguments import role_trusts
from orchestrator.sandbox.stacks import Stack, StackChange
from orchestrator.sandbox.stacksets import (
    ADMINISTRATION_ROLE,
    EXECUTION_ROLE,
    SERVICE_MANAGED,
    Instance,
    Operation,
    StackSet,
    Target,
)
from orchestrator.sandbox.state import (
    PARTITION,
    Caller,
    SandboxState,
    execution_role,
    organizations,
    role,
)
from orchestrator.sandbox.template_parser import TemplateError

# Stacks per call to the sandbox: a large operation must not delay other callers.
_STACKS_PER_CALL = 100
_SUSPENDED = (
    "This account is suspended. To remove this instance from the stack set, run"
    " DeleteStackInstances with the RetainStacks parameter."
)
_CANCELLED = "Cancelled since failure tolerance has exceeded"

# The error code injected for (operation, account, region), or "".
InjectedError = Callable[[str, str, str], str]


def ous_under(owner: str, ous: Iterable[str]) -> set[str]:
    """Get the ids of some OUs (or the root) and of all OUs nested in them."""
    children: dict[str, list[str]] = {}
    for ou in organizations(owner).ou:
        if getattr(ou, "parent_id", None):
            children.setdefault(ou.parent_id, []).append(ou.id)
    found, waiting = set(), list(ous)
    while waiting:
        ou_id = waiting.pop()
        if ou_id not in found:
            found.add(ou_id)
            waiting += children.get(ou_id, [])
    return found


def accounts_in(owner: str, ous: Iterable[str]) -> dict[str, str]:
    """Get the linked accounts under some OUs or the root, with the OU that each is directly in.

    Without the management account: service-managed StackSets do not deploy to it.
    """
    wanted = ous_under(owner, ous)
    accounts = organizations(owner).accounts
    return {a.id: a.parent_id for a in accounts if a.parent_id in wanted and a.id != owner}


def suspended(owner: str) -> set[str]:
    """Get the accounts of an organization that are not active; CloudFormation skips them."""
    return {a.id for a in organizations(owner).accounts if a.state != "ACTIVE"}


def start_operation(stack_set: StackSet, operation: Operation) -> Operation:
    """Queue an operation; the instances that it creates are listed as PENDING at once."""
    for target in operation.targets:
        key = (target.account_id, target.region)
        if operation.action == "CREATE":  # an instance that exists belongs to the new target now
            stack_set.instances.setdefault(key, Instance(*key, target.ou)).ou = target.ou
        instance = stack_set.instances.get(key)
        if instance is not None:
            instance.status, instance.detailed_status, instance.reason = "OUTDATED", "PENDING", ""
            instance.last_operation = operation.id
    stack_set.operations.append(operation)
    return operation


def advance(state: SandboxState, injected_error: InjectedError) -> None:
    """Advance every operation to the current time; the caller holds the state's lock."""
    if state.organization_changed:
        grant_management_access(PAYER)
    for stack_set in [s for sets in state.stack_sets.values() for s in sets.values()]:
        if state.organization_changed:
            _auto_deploy(stack_set)
        _advance_stack_set(state, stack_set, injected_error)
    state.organization_changed = False


def record_parents(stack_set: StackSet) -> None:
    """Record every account's parent, from which auto-deployment detects later moves."""
    stack_set.parents = {
        a.id: a.parent_id for a in organizations(stack_set.owner).accounts if a.state == "ACTIVE"
    }


def _auto_deploy(stack_set: StackSet) -> None:
    """Deploy to accounts that joined since the last call, and remove from those that left."""
    before = stack_set.parents
    record_parents(stack_set)
    automatic = stack_set.settings.get("AutoDeployment", {})
    if not automatic.get("Enabled"):
        return
    moved = {a for a, parent in stack_set.parents.items() if before.get(a) != parent}
    arrived, left = [], []
    for ou, regions in stack_set.ous.items():
        for account_id in accounts_in(stack_set.owner, [ou]):
            if account_id in moved:
                arrived += [Target(account_id, region, ou) for region in regions]
    staying = {t.account_id for t in arrived}
    for instance in stack_set.instances.values():
        if instance.account_id in moved and instance.account_id not in staying:
            left.append(Target(instance.account_id, instance.region, instance.ou))
    new = [t for t in arrived if (t.account_id, t.region) not in stack_set.instances]
    for target in arrived:
        if (known := stack_set.instances.get((target.account_id, target.region))) is not None:
            known.ou = target.ou
    preferences = {"MaxConcurrentCount": 1, "FailureToleranceCount": 0}  # AWS's own: none fails
    if new:
        start_operation(stack_set, Operation(str(uuid.uuid4()), "CREATE", new, preferences))
    if left:
        retain = bool(automatic.get("RetainStacksOnAccountRemoval"))
        start_operation(
            stack_set, Operation(str(uuid.uuid4()), "DELETE", left, preferences, retain=retain)
        )


def _advance_stack_set(
    state: SandboxState, stack_set: StackSet, injected_error: InjectedError
) -> None:
    left = _STACKS_PER_CALL
    while left > 0 and (operation := stack_set.running) is not None:
        if operation.status == "QUEUED":
            operation.status, operation.clock = "RUNNING", time.time()
        wave = [t for t in operation.targets if t.status == "RUNNING"]
        if wave:
            if time.time() < operation.clock + state.stack_seconds:
                return
            closed = suspended(stack_set.owner)
            for target in itertools.islice(wave, left):
                _process_target(state, stack_set, operation, target, closed, injected_error)
            left -= len(wave)
            if left >= 0:
                operation.clock += state.stack_seconds
        elif not _next_wave(stack_set, operation):
            operation.ended = time.time()


def _next_wave(stack_set: StackSet, operation: Operation) -> bool:
    """Start the next accounts of an operation; False if the operation has ended."""
    waiting = [t for t in operation.targets if t.status == "PENDING"]
    stopped = operation.status == "STOPPING"
    if stopped or operation.failed > operation.tolerance:
        for target in waiting:
            target.status, target.reason = "CANCELLED", "" if stopped else _CANCELLED
            _mark(stack_set, target, "OUTDATED", "CANCELLED", target.reason)
        operation.status = "STOPPED" if stopped else "FAILED"
        return False
    if not waiting:
        operation.status = "SUCCEEDED"
        return False
    for target in waiting[: operation.concurrency]:
        target.status = "RUNNING"
        _mark(stack_set, target, "OUTDATED", "RUNNING")
    return True


def _mark(
    stack_set: StackSet, target: Target, status: str, detailed: str, reason: str = ""
) -> None:
    instance = stack_set.instances.get((target.account_id, target.region))
    if instance is not None:
        instance.status, instance.detailed_status, instance.reason = status, detailed, reason


def _process_target(
    state: SandboxState,
    stack_set: StackSet,
    operation: Operation,
    target: Target,
    closed: set[str],
    injected_error: InjectedError,
) -> None:
    key = (target.account_id, target.region)
    instance = stack_set.instances.get(key)
    if instance is None:
        target.status = "SUCCEEDED"
        return
    if operation.action != "DELETE" and target.account_id in closed:
        target.status = "SKIPPED"
        _mark(stack_set, target, "OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT", _SUSPENDED)
        return
    try:
        _change_stack(state, stack_set, operation, instance, injected_error)
    except _StackFailure as failure:
        target.status, target.reason = "FAILED", str(failure)
        _mark(stack_set, target, "OUTDATED", "FAILED", str(failure))
        return
    target.status = "SUCCEEDED"
    if operation.action == "DETECT_DRIFT":
        instance.drift, instance.detailed_status = _drift_of(state, instance), "SUCCEEDED"
        stack_set.drift_checked = time.time()
    elif operation.action == "DELETE":
        del stack_set.instances[key]
    else:
        _mark(stack_set, target, "CURRENT", "SUCCEEDED")


def _drift_of(state: SandboxState, instance: Instance) -> str:
    own = stacks.of(state, instance.account_id, instance.region)
    stack = next((s for s in own if s.id == instance.stack_id and s.deleted is None), None)
    return drift.of_stack(stack) if stack else "DRIFTED"


class _StackFailure(Exception):
    """A stack could not be created, updated or deleted; the text is CloudFormation's."""


def _change_stack(
    state: SandboxState,
    stack_set: StackSet,
    operation: Operation,
    instance: Instance,
    injected_error: InjectedError,
) -> None:
    if operation.action == "DETECT_DRIFT":
        return
    own = stacks.of(state, instance.account_id, instance.region)
    known = next((s for s in own if s.id == instance.stack_id), None)
    if operation.action == "DELETE" and (known is None or operation.retain):
        return
    caller = _execution_role(stack_set, instance)
    actor = Actor(state, instance.account_id, instance.region, caller)
    if operation.action == "DELETE":
        if known is not None:
            if error := injected_error("DeleteStack", actor.account_id, actor.region):
                raise _StackFailure(_status_reason(error, actor.account_id, "iam:DeleteRole"))
            _authorize(actor, "DeleteStack", known.name)
            _finish(known, stack_changes.delete(known))
        return
    if error := injected_error(
        "UpdateStack" if known else "CreateStack", actor.account_id, actor.region
    ):
        raise _StackFailure(_status_reason(error, actor.account_id, "iam:CreateRole"))
    body, parameters = stack_set.settings["TemplateBody"], stack_set.parameters_of(instance)
    tags = stack_set.settings.get("Tags", [])
    if known is not None and known.deleted is None:
        # An unchanged stack is not updated, so manual changes in the account stay.
        if _would_change(known, body, parameters, tags):
            _authorize(actor, "UpdateStack", known.name)
            _check(actor, known.name, body, parameters)
            _finish(known, stack_changes.update(known, body, parameters, tags))
        return
    name = f"StackSet-{stack_set.name}-{uuid.uuid4()}"
    _authorize(actor, "CreateStack", name)
    _check(actor, name, body, parameters)
    made = Stack(actor, name, body, parameters, tags)
    own.append(made)
    try:
        _finish(made, stack_changes.create(made))
    except _StackFailure:
        # It stays among the deleted stacks, so that its events can be read.
        stack_changes.run_to_completion(made, stack_changes.delete(made))
        raise
    instance.stack_id = made.id


def _execution_role(stack_set: StackSet, instance: Instance) -> Caller | None:
    """Assume the execution role of an account; None if the stack set is service-managed."""
    if stack_set.model == SERVICE_MANAGED:
        return None
    name = stack_set.settings.get("ExecutionRoleName", EXECUTION_ROLE)
    default = f"arn:{PARTITION}:iam::{stack_set.owner}:role/{ADMINISTRATION_ROLE}"
    administration = stack_set.settings.get("AdministrationRoleARN", default)
    trusted = {administration, stack_set.owner, f"arn:{PARTITION}:iam::{stack_set.owner}:root"}
    held = role(instance.account_id, name)
    if held is None or not role_trusts(held, "AWS", trusted):
        raise _StackFailure(
            f"Account {instance.account_id} should have '{name}' role with trust relationship to"
            f" Role '{administration.rpartition('/')[2]}'."
        )
    session = f"arn:{PARTITION}:sts::{instance.account_id}:assumed-role/{name}/{stack_set.owner}"
    return Caller(instance.account_id, session, "role", name, held.path)


def _authorize(actor: Actor, operation: str, name: str) -> None:
    """Check that the execution role may change a stack, and read how far it is."""
    try:
        for action in (operation, "DescribeStacks"):
            actor.call("cloudformation", action, {"StackName": name})
    except ServiceException as error:
        raise _StackFailure(error.message) from None


def _would_change(
    stack: Stack, body: str, parameters: dict[str, str], tags: list[dict[str, str]]
) -> bool:
    try:
        stack_changes.check_types_kept(stack, body, parameters)
        return stack.would_change(body, parameters, tags)
    except TemplateError as error:
        raise _StackFailure(str(error)) from None


def _check(actor: Actor, name: str, body: str, parameters: dict[str, str]) -> None:
    try:
        stack_changes.check(actor, name, body, parameters)
    except TemplateError as error:
        raise _StackFailure(str(error)) from None


def _finish(stack: Stack, change: StackChange) -> None:
    stack_changes.run_to_completion(stack, change)
    if why := stack_changes.failure(stack):
        raise _StackFailure(why)


def _status_reason(error: str, account_id: str, action: str) -> str:
    """Word an injected error as CloudFormation does; AccessDenied is an SCP's explicit deny."""
    if error == "AccessDenied":
        caller = execution_role(account_id).arn
        return (
            f"ResourceLogicalId:ApiAccessRole, ResourceType:AWS::IAM::Role,"
            f" ResourceStatusReason:User: {caller} is not authorized to perform: {action} with an"
            " explicit deny in a service control policy (HandlerErrorCode: AccessDenied)."
        )
    if error == "Throttling":
        return f"Rate exceeded (Service: Iam, Status Code: 400, Error Code: {error})"
    return error
