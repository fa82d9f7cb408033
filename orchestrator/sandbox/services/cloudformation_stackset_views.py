"""CloudFormation: describe and list StackSets, their instances and operations.

Source: CloudFormation API Reference, StackSet, StackInstance, StackSetOperation and their
summaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from orchestrator.sandbox.services import Operation as Answer
from orchestrator.sandbox.services.cloudformation_access import (
    LINKED_ROLE,
    LINKED_ROLE_PATH,
    owner_of,
)
from orchestrator.sandbox.services.cloudformation_views import start_of, time_of
from orchestrator.sandbox.stackset_arguments import (
    administration_role,
    arn_of,
    deleted_sets,
    instance_of,
    operation_of,
    stack_set_of,
)
from orchestrator.sandbox.stacksets import (
    EXECUTION_ROLE,
    SELF_MANAGED,
    SERVICE_MANAGED,
    Instance,
    Operation,
    StackSet,
    Target,
)
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.wire import Call

SERVICE = "cloudformation"
_PAGE = 100  # the largest page of each list


def describe_set(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackSet."""
    stack_set = stack_set_of(state, call)
    described = {
        **{name: [] for name in ("Parameters", "Capabilities", "Tags")},
        **stack_set.settings,
        **_named(stack_set),
        **_roles(stack_set),
        "StackSetARN": arn_of(stack_set),
        "OrganizationalUnitIds": sorted(stack_set.ous),
        "Regions": sorted({region for regions in stack_set.ous.values() for region in regions}),
        "StackSetDriftDetectionDetails": _drift_details(stack_set),
    }
    described.setdefault("ManagedExecution", {"Active": False})
    return {"StackSet": described}


def _drift_details(stack_set: StackSet) -> dict[str, Any]:
    details: dict[str, Any] = {"DriftStatus": stack_set.drift}
    if stack_set.drift_checked is None:
        return details
    drifts = [instance.drift for instance in stack_set.instances.values()]
    return details | {
        "DriftDetectionStatus": "COMPLETED",
        "LastDriftCheckTimestamp": time_of(stack_set.drift_checked),
        "TotalStackInstancesCount": len(drifts),
        "DriftedStackInstancesCount": drifts.count("DRIFTED"),
        "InSyncStackInstancesCount": drifts.count("IN_SYNC"),
        "InProgressStackInstancesCount": 0,
        "FailedStackInstancesCount": 0,
    }


def _roles(stack_set: StackSet) -> dict[str, str]:
    if stack_set.model == SELF_MANAGED:
        return {
            "AdministrationRoleARN": administration_role(stack_set),
            "ExecutionRoleName": stack_set.settings.get("ExecutionRoleName", EXECUTION_ROLE),
        }
    # Returned for service-managed sets too (provider issue: a perpetual diff).
    path = f"{LINKED_ROLE_PATH}{LINKED_ROLE}"
    return {"AdministrationRoleARN": f"arn:{PARTITION}:iam::{stack_set.owner}:role{path}"}


def list_sets(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackSets: those that exist, or the deleted ones."""
    owner = owner_of(state, call)
    sets = list(state.stack_sets_of(owner, call.region).values())
    status = call.parameters.get("Status", "ACTIVE")
    if status == "DELETED":
        sets = [s for s in deleted_sets(state) if (s.owner, s.region) == (owner, call.region)]
    if call.parameters.get("CallAs") == "DELEGATED_ADMIN":
        sets = [s for s in sets if s.model == SERVICE_MANAGED]
    return _page(
        call,
        sets,
        lambda s: {
            **_named(s),
            **{n: s.settings[n] for n in ("Description", "AutoDeployment") if n in s.settings},
            "Status": status,
            "PermissionModel": s.model,
            "DriftStatus": s.drift,
            "ManagedExecution": s.settings.get("ManagedExecution", {"Active": False}),
            **_drift_time(s, s.drift),
        },
    )


def list_instances(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackInstances, by account, region, detailed status, last operation and drift."""
    stack_set, arguments = stack_set_of(state, call), call.parameters
    chosen = (
        instance
        for _, instance in sorted(stack_set.instances.items())
        if arguments.get("StackInstanceAccount", instance.account_id) == instance.account_id
        and arguments.get("StackInstanceRegion", instance.region) == instance.region
        and all(_FILTERED[f["Name"]](instance) == f["Values"] for f in arguments.get("Filters", []))
    )
    return _page(call, chosen, lambda instance: _described(stack_set, instance))


_FILTERED: dict[str, Callable[[Instance], str]] = {
    "DETAILED_STATUS": lambda instance: instance.detailed_status,
    "DRIFT_STATUS": lambda instance: instance.drift,
    "LAST_OPERATION_ID": lambda instance: instance.last_operation,
}


def describe_instance(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackInstance."""
    stack_set = stack_set_of(state, call)
    instance = instance_of(stack_set, call)
    return {
        "StackInstance": {
            **_described(stack_set, instance),
            "ParameterOverrides": instance.overrides,
        }
    }


def list_operations(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackSetOperations, the newest first."""
    newest_first = reversed(stack_set_of(state, call).operations)
    return _page(call, newest_first, _summary)


def describe_operation(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackSetOperation."""
    stack_set = stack_set_of(state, call)
    operation = operation_of(stack_set, call)
    described = {**_summary(operation), **_roles(stack_set), "StackSetId": stack_set.id}
    if operation.deployment_targets:
        described["DeploymentTargets"] = operation.deployment_targets
    if operation.action == "DETECT_DRIFT":
        described["StackSetDriftDetectionDetails"] = _drift_details(stack_set)
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
        for t in operation_of(stack_set_of(state, call), call).targets
        if t.status != "SKIPPED" and (not wanted or t.status in wanted)
    )
    return _page(call, targets, _result)


def _result(target: Target) -> dict[str, Any]:
    result: dict[str, Any] = {
        "Account": target.account_id,
        "Region": target.region,
        "Status": target.status,
    }
    gate = f"{target.region}:{target.account_id}:function:AWSCloudFormationStackSetAccountGate"
    optional = {
        "OrganizationalUnitId": target.ou,
        "StatusReason": target.reason,
        "AccountGateResult": target.status not in ("PENDING", "CANCELLED")
        and {
            "Status": "SKIPPED",
            "StatusReason": f"Function not found: arn:{PARTITION}:lambda:{gate}",
        },
    }
    return result | {name: value for name, value in optional.items() if value}


def list_auto_deployment(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackSetAutoDeploymentTargets."""
    ous = sorted(stack_set_of(state, call).ous.items())
    return _page(call, [{"OrganizationalUnitId": ou, "Regions": sorted(r)} for ou, r in ous])


def _named(stack_set: StackSet) -> dict[str, Any]:
    return {"StackSetName": stack_set.name, "StackSetId": stack_set.id, "Status": "ACTIVE"}


def _described(stack_set: StackSet, instance: Instance) -> dict[str, Any]:
    described = {
        "StackSetId": stack_set.id,
        "Region": instance.region,
        "Account": instance.account_id,
        "Status": instance.status,
        "StackInstanceStatus": {"DetailedStatus": instance.detailed_status},
        "DriftStatus": instance.drift,
        "LastOperationId": instance.last_operation,
    }
    optional = {
        "OrganizationalUnitId": instance.ou,
        "StackId": instance.stack_id,
        "StatusReason": instance.reason,
    }
    optional |= _drift_time(stack_set, instance.drift)
    return described | {name: value for name, value in optional.items() if value}


def _drift_time(stack_set: StackSet, drift: str) -> dict[str, Any]:
    """Get when drift was last detected, if it was: a StackSet's instances are checked together."""
    if drift == "NOT_CHECKED" or stack_set.drift_checked is None:
        return {}
    return {"LastDriftCheckTimestamp": time_of(stack_set.drift_checked)}


def _summary(operation: Operation) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "OperationId": operation.id,
        "Action": operation.action,
        "Status": operation.status,
        "CreationTimestamp": time_of(operation.created),
        "OperationPreferences": {"RegionOrder": [], **operation.preferences},
        "StatusDetails": {"FailedStackInstancesCount": operation.failed},
    }
    return summary | ({"EndTimestamp": time_of(operation.ended)} if operation.ended else {})


def _page(
    call: Call, entries: Iterable[Any], describe: Callable[[Any], Any] = lambda entry: entry
) -> dict[str, Any]:
    everything = list(entries)
    size = min(int(call.parameters.get("MaxResults") or _PAGE), _PAGE)
    start = start_of(call)
    page: dict[str, Any] = {"Summaries": [describe(e) for e in everything[start : start + size]]}
    if start + size < len(everything):
        page["NextToken"] = str(start + size)
    return page


OPERATIONS: dict[str, Answer] = {
    "DescribeStackInstance": describe_instance,
    "DescribeStackSet": describe_set,
    "DescribeStackSetOperation": describe_operation,
    "ListStackInstances": list_instances,
    "ListStackSetAutoDeploymentTargets": list_auto_deployment,
    "ListStackSetOperationResults": list_results,
    "ListStackSetOperations": list_operations,
    "ListStackSets": list_sets,
}
