"""StackSet operations, which take time and reach into the linked accounts.

An operation goes forward whenever anybody calls the sandbox (``advance``): as many accounts at a
time as its preferences allow, each taking ``World.stack_seconds``. Stacks are really made, by
moto, in the linked accounts.

Source: CloudFormation User Guide, "StackSets concepts" and "Concurrency mode"; API Reference,
StackSetOperationPreferences, DeploymentTargets, StackInstanceComprehensiveStatus.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import Callable, Iterable

from orchestrator.sandbox import stack_changes, stacks
from orchestrator.sandbox.organization import PAYER, give_management_its_way_in
from orchestrator.sandbox.resources import Act
from orchestrator.sandbox.stacks import Stack, Work
from orchestrator.sandbox.stacksets import Instance, Operation, StackSet, Target
from orchestrator.sandbox.template_parser import TemplateError
from orchestrator.sandbox.world import PARTITION, World, organizations

# Stacks per request to the sandbox: a large operation must not keep other callers waiting.
_AT_ONCE = 100
_CANCELLED = "Cancelled since failure tolerance has exceeded"

# What goes wrong in an account, by (operation, account, region): a planted fault's error, or "".
Misfortune = Callable[[str, str, str], str]


def ous_under(owner: str, ous: Iterable[str]) -> set[str]:
    """Some OUs (or the root) and all that are nested in them."""
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
    """The linked accounts under some OUs or the root, nested ones included: id → its own OU.

    Never the management account: StackSets do not deploy to it.
    """
    wanted = ous_under(owner, ous)
    accounts = organizations(owner).accounts
    return {a.id: a.parent_id for a in accounts if a.parent_id in wanted and a.id != owner}


def suspended(owner: str) -> set[str]:
    """The accounts of an organization that are not active: CloudFormation skips them."""
    return {a.id for a in organizations(owner).accounts if a.state != "ACTIVE"}


def begin(stack_set: StackSet, operation: Operation) -> Operation:
    """Queues an operation; instances that are to be made are there at once, as pending."""
    for target in operation.targets:
        key = (target.account_id, target.region)
        if operation.action == "CREATE":
            stack_set.instances.setdefault(key, Instance(*key, target.ou))
        instance = stack_set.instances.get(key)
        if instance is not None:
            instance.status, instance.detailed_status, instance.reason = "OUTDATED", "PENDING", ""
            instance.last_operation = operation.id
    stack_set.operations.append(operation)
    return operation


def advance(world: World, misfortune: Misfortune) -> None:
    """Brings every operation to where it should be by now; the world's lock is held."""
    if world.organization_changed:
        give_management_its_way_in(PAYER)
    for stack_set in [s for sets in world.stack_sets.values() for s in sets.values()]:
        if world.organization_changed:
            _follow(stack_set)
        _go_on(world, stack_set, misfortune)
    world.organization_changed = False


def remember_homes(stack_set: StackSet) -> None:
    """Notes where every account is now: what moves later is deployed automatically."""
    stack_set.homes = {
        a.id: a.parent_id for a in organizations(stack_set.owner).accounts if a.state == "ACTIVE"
    }


def _follow(stack_set: StackSet) -> None:
    """Auto-deployment: accounts that joined, left or moved since the organization was last seen."""
    before = stack_set.homes
    remember_homes(stack_set)
    automatic = stack_set.settings.get("AutoDeployment", {})
    if not automatic.get("Enabled"):
        return
    moved = {a for a, home in stack_set.homes.items() if before.get(a) != home}
    arrived, left = [], []
    for ou, regions in stack_set.ous.items():
        for account_id, home in accounts_in(stack_set.owner, [ou]).items():
            if account_id in moved:
                arrived += [Target(account_id, region, home) for region in regions]
    staying = {t.account_id for t in arrived}
    for instance in stack_set.instances.values():
        if instance.account_id in moved and instance.account_id not in staying:
            left.append(Target(instance.account_id, instance.region, instance.ou))
    new = [t for t in arrived if (t.account_id, t.region) not in stack_set.instances]
    for target in arrived:
        if (known := stack_set.instances.get((target.account_id, target.region))) is not None:
            known.ou = target.ou
    preferences = {"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100}
    if new:
        begin(stack_set, Operation(str(uuid.uuid4()), "CREATE", new, preferences))
    if left:
        retain = bool(automatic.get("RetainStacksOnAccountRemoval"))
        begin(stack_set, Operation(str(uuid.uuid4()), "DELETE", left, preferences, retain=retain))


def _go_on(world: World, stack_set: StackSet, misfortune: Misfortune) -> None:
    left = _AT_ONCE
    while left > 0 and (operation := stack_set.running) is not None:
        if operation.status == "QUEUED":
            operation.status, operation.clock = "RUNNING", time.time()
        wave = [t for t in operation.targets if t.status == "RUNNING"]
        if wave:
            if time.time() < operation.clock + world.stack_seconds:
                return
            closed = suspended(stack_set.owner)
            for target in itertools.islice(wave, left):
                _carry_out(world, stack_set, operation, target, closed, misfortune)
            left -= len(wave)
            if left >= 0:
                operation.clock += world.stack_seconds
        elif not _next_wave(stack_set, operation):
            operation.ended = time.time()


def _next_wave(stack_set: StackSet, operation: Operation) -> bool:
    """Starts on the next accounts; False if there are none, and the operation is over."""
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


def _carry_out(
    world: World,
    stack_set: StackSet,
    operation: Operation,
    target: Target,
    closed: set[str],
    misfortune: Misfortune,
) -> None:
    key = (target.account_id, target.region)
    instance = stack_set.instances.get(key)
    if instance is None:
        target.status = "SUCCEEDED"
        return
    if operation.action != "DELETE" and target.account_id in closed:
        target.status = "SKIPPED"
        _mark(stack_set, target, "OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT")
        return
    try:
        _work(world, stack_set, operation, instance, misfortune)
    except _Failure as failure:
        target.status, target.reason = "FAILED", str(failure)
        _mark(stack_set, target, "OUTDATED", "FAILED", str(failure))
        return
    target.status = "SUCCEEDED"
    if operation.action == "DELETE":
        del stack_set.instances[key]
    else:
        _mark(stack_set, target, "CURRENT", "SUCCEEDED")


class _Failure(Exception):
    """A stack could not be made, changed or deleted; says so as CloudFormation does."""


def _work(
    world: World,
    stack_set: StackSet,
    operation: Operation,
    instance: Instance,
    misfortune: Misfortune,
) -> None:
    act = Act(world, instance.account_id, instance.region, caller=None)
    own = stacks.of(world, act.account_id, act.region)
    known = next((s for s in own if s.id == instance.stack_id), None)
    if operation.action == "DELETE":
        if known is not None and not operation.retain:
            if error := misfortune("DeleteStack", act.account_id, act.region):
                raise _Failure(_words(error, act.account_id, "iam:DeleteRole"))
            _finish(known, stack_changes.delete(known))
        return
    if error := misfortune("UpdateStack" if known else "CreateStack", act.account_id, act.region):
        raise _Failure(_words(error, act.account_id, "iam:CreateRole"))
    body, given = stack_set.settings["TemplateBody"], dict(stack_set.parameters)
    tags = stack_set.settings.get("Tags", [])
    if known is not None and known.deleted is None:
        # No update without a change: what was changed by hand in the account stays as it is.
        if known.differs(body, given, tags):
            _check(act, known.name, body, given)
            _finish(known, stack_changes.update(known, body, given, tags))
        return
    name = f"StackSet-{stack_set.name}-{uuid.uuid4()}"
    _check(act, name, body, given)
    made = Stack(act, name, body, given, tags)
    _finish(made, stack_changes.create(made))
    own.append(made)
    instance.stack_id = made.id


def _check(act: Act, name: str, body: str, given: dict[str, str]) -> None:
    try:
        stack_changes.check(act, name, body, given)
    except TemplateError as error:
        raise _Failure(str(error)) from None


def _finish(stack: Stack, work: Work) -> None:
    stack_changes.at_once(stack, work)
    if why := stack_changes.failure(stack):
        raise _Failure(why)


def _words(error: str, account_id: str, action: str) -> str:
    """An error as CloudFormation passes it on; AccessDenied is a service control policy's."""
    if error == "AccessDenied":
        caller = f"arn:{PARTITION}:sts::{account_id}:assumed-role/stacksets-exec/AWSCloudFormation"
        return (
            f"ResourceLogicalId:ApiAccessRole, ResourceType:AWS::IAM::Role,"
            f" ResourceStatusReason:User: {caller} is not authorized to perform: {action} with an"
            " explicit deny in a service control policy (HandlerErrorCode: AccessDenied)."
        )
    if error == "Throttling":
        return f"Rate exceeded (Service: Iam, Status Code: 400, Error Code: {error})"
    return error
