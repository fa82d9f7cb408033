"""CloudFormation: drift detection of stacks, which ends at once.

Source: CloudFormation API Reference, DetectStackDrift, DescribeStackDriftDetectionStatus,
DetectStackResourceDrift, DescribeStackResourceDrifts, ListStackInstanceResourceDrifts.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from orchestrator.sandbox import drift, stacks
from orchestrator.sandbox.drift import ResourceDrift
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.cloudformation_views import page, time_of
from orchestrator.sandbox.stack_arguments import invalid, stack_of
from orchestrator.sandbox.stacks import Stack
from orchestrator.sandbox.stackset_arguments import instance_of, operation_of, stack_set_of
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call

SERVICE = "cloudformation"
_FILTER = "StackInstanceResourceDriftStatuses"


def _detections(state: SandboxState) -> dict[str, dict[str, Any]]:
    return state.of_service("drift detections", dict)


def detect(state: SandboxState, call: Call) -> dict[str, Any]:
    """DetectStackDrift."""
    stack = stack_of(state, call)
    if not stack.status.endswith("_COMPLETE") or stack.status.startswith(("DELETE", "ROLLBACK")):
        raise invalid(f"Drift detection cannot be performed on stack {stack.id} in {stack.status}")
    found = [_checked(one) for one in drift.of_resources(stack)]
    stack.drift, stack.drift_checked = drift.of_stack(stack), time.time()
    detection_id = str(uuid.uuid4())
    _detections(state)[detection_id] = {
        "StackId": stack.id,
        "StackDriftDetectionId": detection_id,
        "StackDriftStatus": stack.drift,
        "DetectionStatus": "DETECTION_COMPLETE",
        "DriftedStackResourceCount": sum(one.status != "IN_SYNC" for one in found),
        "Timestamp": time_of(stack.drift_checked),
    }
    return {"StackDriftDetectionId": detection_id}


def _checked(found: ResourceDrift) -> ResourceDrift:
    """Note that a resource's drift was detected."""
    found.resource.drift, found.resource.drift_checked = found.status, time.time()
    return found


def describe_detection(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackDriftDetectionStatus."""
    wanted = call.parameters["StackDriftDetectionId"]
    if wanted not in _detections(state):
        raise invalid(f"Drift detection {wanted} does not exist")
    return _detections(state)[wanted]


def describe_resources(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackResourceDrifts: of the resources whose drift was detected, by status."""
    stack, wanted = stack_of(state, call), call.parameters.get("StackResourceDriftStatusFilters")
    checked = [one for one in drift.of_resources(stack) if one.resource.drift_checked]
    found = [one for one in checked if not wanted or one.status in wanted]
    return page(call, "StackResourceDrifts", [_described(stack, one) for one in found])


def detect_resource(state: SandboxState, call: Call) -> dict[str, Any]:
    """DetectStackResourceDrift."""
    stack, logical = stack_of(state, call), call.parameters["LogicalResourceId"]
    for found in drift.of_resources(stack):
        if found.resource.logical_id == logical:
            return {"StackResourceDrift": _described(stack, _checked(found))}
    raise invalid(f"Resource {logical} does not exist for stack {stack.name}")


def list_instance_drifts(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackInstanceResourceDrifts: of an instance's stack, as an operation detected them."""
    stack_set = stack_set_of(state, call)
    operation_of(stack_set, call)
    instance, wanted = instance_of(stack_set, call), call.parameters.get(_FILTER)
    own = stacks.existing(state, instance.account_id, instance.region)
    described = [
        _described(stack, found)
        for stack in own
        for found in drift.of_resources(stack)
        if stack.id == instance.stack_id and (not wanted or found.status in wanted)
    ]
    for one in described:
        for name in ("ExpectedProperties", "ActualProperties"):
            one.pop(name, None)
    return page(call, "Summaries", described)


def _described(stack: Stack, found: ResourceDrift) -> dict[str, Any]:
    described = {
        "StackId": stack.id,
        "LogicalResourceId": found.resource.logical_id,
        "PhysicalResourceId": found.resource.physical_id,
        "ResourceType": found.resource.type,
        "ExpectedProperties": json.dumps(found.expected),
        "PropertyDifferences": [
            {
                "PropertyPath": f"/{name}",
                "ExpectedValue": _text(expected),
                "ActualValue": _text(actual),
                "DifferenceType": "ADD" if not expected else "NOT_EQUAL" if actual else "REMOVE",
            }
            for name, (expected, actual) in found.differences.items()
        ],
        "StackResourceDriftStatus": found.status,
        "Timestamp": time_of(time.time()),
    }
    return described | (
        {} if found.status == "DELETED" else {"ActualProperties": json.dumps(found.actual)}
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


OPERATIONS: dict[str, Operation] = {
    "DescribeStackDriftDetectionStatus": describe_detection,
    "DescribeStackResourceDrifts": describe_resources,
    "DetectStackDrift": detect,
    "DetectStackResourceDrift": detect_resource,
    "ListStackInstanceResourceDrifts": list_instance_drifts,
}
