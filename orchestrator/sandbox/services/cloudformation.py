"""CloudFormation: create, update and delete StackSets and their instances.

Source: CloudFormation API Reference, the StackSet operations and their errors.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from orchestrator.sandbox import deployment, stacks
from orchestrator.sandbox.deployment_targets import (
    chosen_accounts,
    deployed_filter,
    new_accounts,
)
from orchestrator.sandbox.principals import known_regions
from orchestrator.sandbox.services import Operation as Answer
from orchestrator.sandbox.services import Permission
from orchestrator.sandbox.services.cloudformation_access import owner_of
from orchestrator.sandbox.stack_arguments import invalid
from orchestrator.sandbox.stackset_arguments import (
    check_administration,
    check_idle,
    check_model,
    check_preferences,
    check_set_name,
    check_template,
    deleted_sets,
    in_progress,
    operation_of,
    overrides_of,
    settings_of_set,
    stack_set_of,
)
from orchestrator.sandbox.stacksets import SELF_MANAGED, Instance, Operation, StackSet, Target
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "cloudformation"


def create_set(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateStackSet: check permission model, trusted access, capabilities and template."""
    owner, arguments = owner_of(state, call), call.parameters
    check_set_name(arguments["StackSetName"])
    settings = {"PermissionModel": SELF_MANAGED, **settings_of_set(state, call)}
    check_model(state, call, settings)
    check_template(settings)
    own = state.stack_sets_of(owner, call.region)
    name, token = arguments["StackSetName"], arguments.get("ClientRequestToken", "")
    known = own.get(name)
    if known is not None:
        if token and known.token == token:
            if known.settings != settings:
                raise ServiceError(
                    "CreatedButModifiedException",
                    f"StackSet {name} was created by this request, and has been modified",
                    409,
                )
            return {"StackSetId": known.id}
        raise ServiceError("NameAlreadyExistsException", f"The name {name} is already in use", 409)
    own[name] = StackSet(owner, name, call.region, settings, token=token)
    deployment.record_parents(own[name])
    return {"StackSetId": own[name].id}


def update_set(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateStackSet: update the set, then all instances or those of the targets."""
    stack_set, arguments = stack_set_of(state, call), call.parameters
    check_idle(stack_set)
    check_preferences(call)
    if not {"TemplateBody", "TemplateURL"} & arguments.keys() and not arguments.get(
        "UsePreviousTemplate"
    ):
        raise invalid("Either Template URL or Template Body must be specified.")
    managed = stack_set.settings.get("ManagedExecution", {}).get("Active", False)
    if stack_set.running is not None and (
        arguments.get("ManagedExecution", {}).get("Active", managed) != managed
    ):
        raise in_progress(stack_set)
    given = settings_of_set(state, call)
    if given.get("PermissionModel", stack_set.model) != stack_set.model and stack_set.instances:
        raise invalid("The permission model of a stack set with instances cannot be changed")
    previous = {entry["ParameterKey"]: entry for entry in stack_set.settings.get("Parameters", [])}
    if "Parameters" in given:
        given["Parameters"] = [
            previous.get(entry["ParameterKey"], entry) if entry.get("UsePreviousValue") else entry
            for entry in given["Parameters"]
        ]
    settings = {**stack_set.settings, **given}
    check_template(settings)
    targets = [_target_of(stack_set.instances[key]) for key in sorted(stack_set.instances)]
    if {"DeploymentTargets", "Accounts"} & arguments.keys():
        if "Regions" not in arguments:
            raise invalid("You must specify Regions with DeploymentTargets or Accounts")
        targets = _existing(stack_set, call)
    stack_set.settings = settings
    return _start_operation(stack_set, call, "UPDATE", targets)


def delete_set(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteStackSet: only without instances; one that does not exist is no error."""
    try:
        stack_set = stack_set_of(state, call)
    except ServiceError:
        return {}
    if stack_set.instances:
        raise ServiceError("StackSetNotEmptyException", "StackSet is not empty", 409)
    if stack_set.running is not None:
        raise in_progress(stack_set)
    own = state.stack_sets_of(stack_set.owner, stack_set.region)
    deleted_sets(state).append(own.pop(stack_set.name))
    return {}


def create_instances(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateStackInstances: an instance in each account that the deployment targets name."""
    stack_set = stack_set_of(state, call)
    check_idle(stack_set)
    check_preferences(call)
    regions, overrides = call.parameters["Regions"], overrides_of(stack_set, call)
    if unknown := sorted(set(regions) - known_regions()):
        raise invalid(f"Regions {unknown} are not known")
    if stack_set.model == SELF_MANAGED:
        accounts = dict.fromkeys(chosen_accounts(call.parameters), "")
        check_administration(stack_set)
    else:
        accounts = new_accounts(stack_set, call.parameters.get("DeploymentTargets") or {}, regions)
    targets = [Target(a, region, ou) for region in regions for a, ou in sorted(accounts.items())]
    started = _start_operation(stack_set, call, "CREATE", targets)
    _override(stack_set, targets, overrides)
    return started


def import_stacks(state: SandboxState, call: Call) -> dict[str, Any]:
    """ImportStacksToStackSet: an operation that updates the stacks to the set's template."""
    stack_set, arguments = stack_set_of(state, call), call.parameters
    check_idle(stack_set)
    check_preferences(call)
    ous = arguments.get("OrganizationalUnitIds", [])
    members = {ou: deployment.accounts_in(stack_set.owner, [ou]) for ou in ous}
    imported = []
    for stack_id in arguments.get("StackIds", []):
        region, account_id = stack_id.split(":")[3:5]
        stack = stacks.find(state, account_id, region, stack_id)
        if stack is None or stack.deleted is not None:
            raise ServiceError("StackNotFoundException", f"Stack {stack_id} not found", 404)
        if (account_id, region) in stack_set.instances:
            raise invalid(f"StackSet {stack_set.name} has a stack in {account_id} and {region}")
        target = next((ou for ou in ous if account_id in members[ou]), "")
        if stack_set.model != SELF_MANAGED and not target:
            raise invalid(f"Account {account_id} is not in the organizational units {ous}")
        imported.append(Instance(account_id, region, target, stack_id=stack_id))
    targets = [_target_of(instance) for instance in imported]
    started = _start_operation(stack_set, call, "CREATE", targets, imported=imported)
    for instance in imported:
        if instance.ou:
            stack_set.ous.setdefault(instance.ou, set()).add(instance.region)
    return started


def update_instances(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateStackInstances: update the targets' instances to the set's template."""
    stack_set = stack_set_of(state, call)
    check_idle(stack_set)
    check_preferences(call)
    targets, overrides = _existing(stack_set, call), overrides_of(stack_set, call)
    started = _start_operation(stack_set, call, "UPDATE", targets)
    if "ParameterOverrides" in call.parameters:
        _override(stack_set, targets, overrides)
    return started


def _override(stack_set: StackSet, targets: list[Target], overrides: list[dict[str, Any]]) -> None:
    for target in targets:
        stack_set.instances[target.account_id, target.region].overrides = overrides


def delete_instances(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteStackInstances: delete the targets' instances, with or without their stacks."""
    stack_set = stack_set_of(state, call)
    check_idle(stack_set)
    check_preferences(call)
    targets = _existing(stack_set, call)
    deployment_targets = call.parameters.get("DeploymentTargets") or {}
    if deployment_targets.get("AccountFilterType", "NONE") in ("NONE", "DIFFERENCE", "UNION"):
        for ou in deployment_targets.get("OrganizationalUnitIds", []):
            stack_set.ous.get(ou, set()).difference_update(call.parameters["Regions"])
    stack_set.ous = {ou: regions for ou, regions in stack_set.ous.items() if regions}
    return _start_operation(
        stack_set, call, "DELETE", targets, retain=bool(call.parameters["RetainStacks"])
    )


def detect_drift(state: SandboxState, call: Call) -> dict[str, Any]:
    """DetectStackSetDrift: compare the template with what every stack instance has."""
    stack_set = stack_set_of(state, call)
    check_idle(stack_set)
    check_preferences(call)
    targets = [_target_of(instance) for _, instance in sorted(stack_set.instances.items())]
    return _start_operation(stack_set, call, "DETECT_DRIFT", targets)


def stop(state: SandboxState, call: Call) -> dict[str, Any]:
    """StopStackSetOperation: running accounts finish, pending ones are cancelled."""
    operation = operation_of(stack_set_of(state, call), call)
    if operation.ended is not None:
        raise ServiceError("InvalidOperationException", f"Operation {operation.id} is not running")
    operation.status = "STOPPING"
    return {}


def _existing(stack_set: StackSet, call: Call) -> list[Target]:
    """Get the instances that an update or delete targets.

    An instance is selected by the OU that it was deployed to, even if its account has moved.
    """
    arguments = call.parameters
    if stack_set.model == SELF_MANAGED:
        accounts = set(chosen_accounts(arguments))
        found = [i for i in stack_set.instances.values() if i.account_id in accounts]
    else:
        chosen = deployed_filter(stack_set, arguments.get("DeploymentTargets") or {})
        found = [i for i in stack_set.instances.values() if chosen(i.account_id, i.ou)]
    found = [i for i in found if i.region in arguments["Regions"]]
    if not found:
        raise ServiceError(
            "StackInstanceNotFoundException", "No stack instances match the targets", 404
        )
    return [_target_of(i) for i in sorted(found, key=lambda i: (i.account_id, i.region))]


def _target_of(instance: Instance) -> Target:
    return Target(instance.account_id, instance.region, instance.ou)


def _start_operation(
    stack_set: StackSet,
    call: Call,
    action: str,
    targets: list[Target],
    *,
    retain: bool = False,
    imported: Iterable[Instance] = (),
) -> dict[str, Any]:
    arguments = call.parameters
    preferences = arguments.get("OperationPreferences") or {}
    made = Operation(
        arguments.get("OperationId") or str(uuid.uuid4()),
        action,
        targets,
        preferences,
        arguments.get("DeploymentTargets") or {},
        retain,
    )
    if any(o.id == made.id for o in stack_set.operations):
        raise ServiceError("OperationIdAlreadyExistsException", f"{made.id} exists already", 409)
    stack_set.instances.update({(i.account_id, i.region): i for i in imported})
    deployment.start_operation(stack_set, made)
    return {"OperationId": made.id}


def permissions(state: SandboxState, call: Call) -> Iterator[Permission]:
    """Yield the permissions to tag a StackSet by creating or updating it.

    Source: CloudFormation API Reference, CreateStackSet and UpdateStackSet, "Tags".
    """
    if call.operation not in ("CreateStackSet", "UpdateStackSet") or "Tags" not in call.parameters:
        return
    account, name = call.caller.account_id, call.parameters["StackSetName"]
    own = state.stack_sets_of(account, call.region).get(name)
    present = own.settings.get("Tags") if own and call.operation == "UpdateStackSet" else None
    before = {tag["Key"]: tag["Value"] for tag in present or ()}
    after = {tag["Key"]: tag["Value"] for tag in call.parameters["Tags"] or ()}
    id_ = own.id if own else f"{name}:*"
    arn = f"arn:{PARTITION}:cloudformation:{call.region}:{account}:stackset/{id_}"
    if after.items() - before.items():
        yield Permission("cloudformation:TagResource", arn)
    if before.keys() - after.keys():
        yield Permission("cloudformation:UntagResource", arn)


OPERATIONS: dict[str, Answer] = {
    "CreateStackInstances": create_instances,
    "CreateStackSet": create_set,
    "DeleteStackInstances": delete_instances,
    "DeleteStackSet": delete_set,
    "DetectStackSetDrift": detect_drift,
    "ImportStacksToStackSet": import_stacks,
    "StopStackSetOperation": stop,
    "UpdateStackInstances": update_instances,
    "UpdateStackSet": update_set,
}
