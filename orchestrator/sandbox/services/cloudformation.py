"""CloudFormation: StackSets with service-managed permissions.

Source: CloudFormation API Reference, the StackSet operations and their errors.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox import deployment
from orchestrator.sandbox.deployment_targets import check_targets, deployed_filter, is_listed
from orchestrator.sandbox.services import Operation as Answer
from orchestrator.sandbox.services import Permission
from orchestrator.sandbox.services.cloudformation_access import (
    LINKED_ROLE,
    LINKED_ROLE_PATH,
    owner_of,
    require_management,
)
from orchestrator.sandbox.stacksets import Instance, Operation, StackSet, Target
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.template import capabilities
from orchestrator.sandbox.template_format import checked_template
from orchestrator.sandbox.template_parser import TemplateError
from orchestrator.sandbox.template_source import body_of
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "cloudformation"
_PAGE = 100  # the largest page of each list
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
_SETTINGS = (
    *("Description", "TemplateBody", "Parameters", "Capabilities", "Tags"),
    *("PermissionModel", "AutoDeployment", "ManagedExecution"),
)


def create_set(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateStackSet: check permission model, trusted access, capabilities and template."""
    owner, arguments = owner_of(state, call), call.parameters
    if not _NAME.fullmatch(arguments["StackSetName"]):
        raise _invalid(
            f"1 validation error detected: Value '{arguments['StackSetName']}' at 'stackSetName'"
            f" failed to satisfy constraint: Member must satisfy regular expression pattern:"
            f" {_NAME.pattern}"
        )
    settings = _settings(state, call)
    if settings.get("PermissionModel") != "SERVICE_MANAGED":
        raise _invalid("The sandbox knows stack sets with SERVICE_MANAGED permissions only.")
    if owner == call.caller.account_id:
        require_management(call)
    if owner not in state.stackset_access:
        raise _invalid(
            "You must enable organizations access to operate a service managed stack set"
        )
    if "AutoDeployment" not in settings:
        raise _invalid("You must specify AutoDeployment for a service managed stack set")
    _check(settings)
    own = state.stack_sets_of(owner, call.region)
    name, token = arguments["StackSetName"], arguments.get("ClientRequestToken", "")
    known = own.get(name)
    if known is not None:
        if token and known.token == token:
            return {"StackSetId": known.id}
        raise ServiceError("NameAlreadyExistsException", f"The name {name} is already in use", 409)
    own[name] = StackSet(owner, name, call.region, settings, token=token)
    deployment.record_parents(own[name])
    return {"StackSetId": own[name].id}


def update_set(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateStackSet: update the set, then all instances or those of the targets."""
    stack_set, arguments = stack_set_of(state, call), call.parameters
    _check_idle(stack_set)
    managed = stack_set.settings.get("ManagedExecution", {}).get("Active", False)
    if stack_set.running is not None and (
        arguments.get("ManagedExecution", {}).get("Active", managed) != managed
    ):
        raise _in_progress(stack_set)
    settings = {**stack_set.settings, **_settings(state, call)}
    _check(settings)
    stack_set.settings = settings
    wanted = set(stack_set.instances)
    if "DeploymentTargets" in arguments:
        chosen = deployed_filter(stack_set, arguments["DeploymentTargets"])
        wanted = {key for key in wanted if chosen(key[0], stack_set.instances[key].ou)}
    targets = [_target_of(stack_set.instances[key]) for key in sorted(wanted)]
    return _start_operation(stack_set, call, "UPDATE", targets)


def delete_set(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteStackSet: only without instances."""
    stack_set = stack_set_of(state, call)
    if stack_set.instances:
        raise ServiceError("StackSetNotEmptyException", "StackSet is not empty", 409)
    del state.stack_sets_of(stack_set.owner, stack_set.region)[stack_set.name]
    return {}


def create_instances(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateStackInstances: an instance in each account that the deployment targets name."""
    stack_set = stack_set_of(state, call)
    _check_idle(stack_set)
    deployment_targets = call.parameters.get("DeploymentTargets") or {}
    if deployment_targets.get("AccountFilterType") == "UNION":
        raise _invalid("UNION is not supported for CreateStackInstances")
    check_targets(stack_set, deployment_targets)
    regions = call.parameters["Regions"]
    accounts: dict[str, str] = {}
    for ou in deployment_targets["OrganizationalUnitIds"]:
        for account_id in deployment.accounts_in(stack_set.owner, [ou]):
            if is_listed(deployment_targets, account_id):
                accounts.setdefault(account_id, ou)
    if deployment_targets.get("AccountFilterType") != "INTERSECTION":
        for ou in deployment_targets["OrganizationalUnitIds"]:
            stack_set.ous.setdefault(ou, set()).update(regions)
    targets = [Target(a, region, ou) for region in regions for a, ou in sorted(accounts.items())]
    return _start_operation(stack_set, call, "CREATE", targets)


def update_instances(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateStackInstances: update the targets' instances to the set's template."""
    stack_set = stack_set_of(state, call)
    _check_idle(stack_set)
    return _start_operation(stack_set, call, "UPDATE", _existing(stack_set, call))


def delete_instances(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteStackInstances: delete the targets' instances, with or without their stacks."""
    stack_set = stack_set_of(state, call)
    _check_idle(stack_set)
    targets = _existing(stack_set, call)
    deployment_targets = call.parameters["DeploymentTargets"]
    if deployment_targets.get("AccountFilterType", "NONE") in ("NONE", "DIFFERENCE", "UNION"):
        for ou in deployment_targets.get("OrganizationalUnitIds", []):
            stack_set.ous.get(ou, set()).difference_update(call.parameters["Regions"])
    stack_set.ous = {ou: regions for ou, regions in stack_set.ous.items() if regions}
    return _start_operation(
        stack_set, call, "DELETE", targets, retain=bool(call.parameters["RetainStacks"])
    )


def stop(state: SandboxState, call: Call) -> dict[str, Any]:
    """StopStackSetOperation: running accounts finish, pending ones are cancelled."""
    operation = _operation(stack_set_of(state, call), call)
    if operation.ended is not None:
        raise ServiceError("InvalidOperationException", f"Operation {operation.id} is not running")
    operation.status = "STOPPING"
    return {}


def describe_set(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackSet."""
    stack_set = stack_set_of(state, call)
    described = {
        **stack_set.settings,
        **_named(stack_set),
        "StackSetARN": _arn(stack_set),
        "OrganizationalUnitIds": sorted(stack_set.ous),
        "Regions": sorted({region for regions in stack_set.ous.values() for region in regions}),
        # Returned for service-managed sets too (provider issue: a perpetual diff).
        "AdministrationRoleARN": f"arn:{PARTITION}:iam::{stack_set.owner}:role{LINKED_ROLE_PATH}"
        f"{LINKED_ROLE}",
        "StackSetDriftDetectionDetails": {"DriftStatus": "NOT_CHECKED"},
    }
    described.setdefault("ManagedExecution", {"Active": False})
    return {"StackSet": described}


def list_sets(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackSets."""
    sets = [
        {
            **_named(s),
            **{n: s.settings[n] for n in ("Description", "AutoDeployment") if n in s.settings},
            "PermissionModel": s.settings["PermissionModel"],
            "ManagedExecution": s.settings.get("ManagedExecution", {"Active": False}),
        }
        for s in state.stack_sets_of(owner_of(state, call), call.region).values()
    ]
    return _page(call, [s for s in sets if call.parameters.get("Status", "ACTIVE") == s["Status"]])


def list_instances(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackInstances, by account, region and detailed status."""
    stack_set, arguments = stack_set_of(state, call), call.parameters
    detailed = {
        f["Values"] for f in arguments.get("Filters", []) if f.get("Name") == "DETAILED_STATUS"
    }
    chosen = (
        instance
        for _, instance in sorted(stack_set.instances.items())
        if arguments.get("StackInstanceAccount", instance.account_id) == instance.account_id
        and arguments.get("StackInstanceRegion", instance.region) == instance.region
        and (not detailed or instance.detailed_status in detailed)
    )
    return _page(call, chosen, lambda instance: _described(stack_set, instance))


def describe_instance(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackInstance."""
    stack_set, arguments = stack_set_of(state, call), call.parameters
    key = (arguments["StackInstanceAccount"], arguments["StackInstanceRegion"])
    if key not in stack_set.instances:
        raise ServiceError("StackInstanceNotFoundException", "StackInstance not found", 404)
    return {
        "StackInstance": {
            **_described(stack_set, stack_set.instances[key]),
            "ParameterOverrides": [],
        }
    }


def list_operations(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackSetOperations, the newest first."""
    newest_first = reversed(stack_set_of(state, call).operations)
    return _page(call, newest_first, _summary)


def describe_operation(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackSetOperation."""
    stack_set = stack_set_of(state, call)
    operation = _operation(stack_set, call)
    described = {**_summary(operation), "StackSetId": stack_set.id}
    if operation.deployment_targets:
        described["DeploymentTargets"] = operation.deployment_targets
    if operation.action == "DELETE":
        described["RetainStacks"] = operation.retain
    return {"StackSetOperation": described}


def list_results(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackSetOperationResults, by status."""
    wanted = {
        f["Values"]
        for f in call.parameters.get("Filters", [])
        if f.get("Name") == "OPERATION_RESULT_STATUS"
    }
    targets = (
        t
        for t in _operation(stack_set_of(state, call), call).targets
        if t.status != "SKIPPED" and (not wanted or t.status in wanted)
    )
    return _page(
        call,
        targets,
        lambda t: {
            "Account": t.account_id,
            "Region": t.region,
            "Status": t.status,
            "StatusReason": t.reason,
            "OrganizationalUnitId": t.ou,
        },
    )


def list_auto_deployment(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackSetAutoDeploymentTargets."""
    ous = sorted(stack_set_of(state, call).ous.items())
    return _page(call, [{"OrganizationalUnitId": ou, "Regions": sorted(r)} for ou, r in ous])


def stack_set_of(state: SandboxState, call: Call) -> StackSet:
    """Get the stack set that a call names by name, id or ARN.

    Raises:
        ServiceError: there is no such stack set.
    """
    name = call.parameters["StackSetName"]
    for stack_set in state.stack_sets_of(owner_of(state, call), call.region).values():
        if name in (stack_set.name, stack_set.id, _arn(stack_set)):
            return stack_set
    raise ServiceError("StackSetNotFoundException", f"StackSet {name} not found", 404)


def _operation(stack_set: StackSet, call: Call) -> Operation:
    wanted = call.parameters["OperationId"]
    for operation in stack_set.operations:
        if operation.id == wanted:
            return operation
    raise ServiceError("OperationNotFoundException", f"Operation {wanted} not found", 404)


def _settings(state: SandboxState, call: Call) -> dict[str, Any]:
    """The settings that a call gives; a template by its URL is read at once, as AWS does."""
    arguments = call.parameters
    settings = {name: arguments[name] for name in _SETTINGS if name in arguments}
    if {"TemplateURL", "TemplateBody"} & arguments.keys():
        settings["TemplateBody"] = body_of(state, call)
    return settings


def _check(settings: dict[str, Any]) -> None:
    template = settings.get("TemplateBody")
    if not template:
        raise _invalid("Either Template URL or Template Body must be specified.")
    try:
        needed = capabilities(checked_template(template))
    except TemplateError as error:
        raise _invalid(str(error)) from None
    if needed and not {needed, "CAPABILITY_NAMED_IAM"} & set(settings.get("Capabilities", [])):
        raise ServiceError(
            "InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]"
        )


def _check_idle(stack_set: StackSet) -> None:
    """Refuse a second operation, unless managed execution queues it."""
    managed = stack_set.settings.get("ManagedExecution", {}).get("Active")
    if stack_set.running is not None and not managed:
        raise _in_progress(stack_set)


def _in_progress(stack_set: StackSet) -> ServiceError:
    running = stack_set.running.id if stack_set.running else ""
    return ServiceError(
        "OperationInProgressException",
        f"Another Operation on StackSet {_arn(stack_set)} is in progress: {running}",
        409,
    )


def _existing(stack_set: StackSet, call: Call) -> list[Target]:
    """Get the instances that an update or delete targets.

    An instance is selected by the OU that it was deployed to, even if its account has moved.
    """
    chosen = deployed_filter(stack_set, call.parameters.get("DeploymentTargets") or {})
    found = [
        _target_of(instance)
        for _, instance in sorted(stack_set.instances.items())
        if chosen(instance.account_id, instance.ou)
        and instance.region in call.parameters["Regions"]
    ]
    if not found:
        raise ServiceError(
            "StackInstanceNotFoundException", "No stack instances match the targets", 404
        )
    return found


def _target_of(instance: Instance) -> Target:
    return Target(instance.account_id, instance.region, instance.ou)


def _start_operation(
    stack_set: StackSet, call: Call, action: str, targets: list[Target], *, retain: bool = False
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
    deployment.start_operation(stack_set, made)
    return {"OperationId": made.id}


def _arn(stack_set: StackSet) -> str:
    prefix = f"arn:{PARTITION}:cloudformation:{stack_set.region}:{stack_set.owner}"
    return f"{prefix}:stackset/{stack_set.id}"


def _named(stack_set: StackSet) -> dict[str, Any]:
    return {"StackSetName": stack_set.name, "StackSetId": stack_set.id, "Status": "ACTIVE"}


def _described(stack_set: StackSet, instance: Instance) -> dict[str, Any]:
    described = {
        "StackSetId": stack_set.id,
        "Region": instance.region,
        "Account": instance.account_id,
        "Status": instance.status,
        "StatusReason": instance.reason,
        "StackInstanceStatus": {"DetailedStatus": instance.detailed_status},
        "OrganizationalUnitId": instance.ou,
        "DriftStatus": "NOT_CHECKED",
        "LastOperationId": instance.last_operation,
    }
    return described | ({"StackId": instance.stack_id} if instance.stack_id else {})


def _summary(operation: Operation) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "OperationId": operation.id,
        "Action": operation.action,
        "Status": operation.status,
        "CreationTimestamp": _time(operation.created),
        "OperationPreferences": operation.preferences,
        "StatusDetails": {"FailedStackInstancesCount": operation.failed},
    }
    return summary | ({"EndTimestamp": _time(operation.ended)} if operation.ended else {})


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def _page(
    call: Call, entries: Iterable[Any], describe: Callable[[Any], Any] = lambda entry: entry
) -> dict[str, Any]:
    everything = list(entries)
    size = min(int(call.parameters.get("MaxResults") or _PAGE), _PAGE)
    start = int(call.parameters.get("NextToken") or 0)
    page: dict[str, Any] = {"Summaries": [describe(e) for e in everything[start : start + size]]}
    if start + size < len(everything):
        page["NextToken"] = str(start + size)
    return page


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


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
    "DescribeStackInstance": describe_instance,
    "DescribeStackSet": describe_set,
    "DescribeStackSetOperation": describe_operation,
    "ListStackInstances": list_instances,
    "ListStackSetAutoDeploymentTargets": list_auto_deployment,
    "ListStackSetOperationResults": list_results,
    "ListStackSetOperations": list_operations,
    "ListStackSets": list_sets,
    "StopStackSetOperation": stop,
    "UpdateStackInstances": update_instances,
    "UpdateStackSet": update_set,
}
