"""CloudFormation: drift detection of stacks, which ends at once.

Source: CloudFormation API Reference, DetectStackDrift, DescribeStackDriftDetectionStatus,
DetectStackResourceDrift, DescribeStackResourceDrifts.
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from orchestrator.sandbox import drift
from orchestrator.sandbox.drift import ResourceDrift
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.cloudformation_views import page, time_of
from orchestrator.sandbox.stack_arguments import invalid, stack_of
from orchestrator.sandbox.stacks import Stack
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call

SERVICE = "cloudformation"


def _detections(state: SandboxState) -> dict[str, dict[str, Any]]:
    return state.of_service("drift detections", dict)


def detect(state: SandboxState, call: Call) -> dict[str, Any]:
    """DetectStackDrift."""
    stack = stack_of(state, call)
    if not stack.status.endswith("_COMPLETE") or stack.status.startswith(("DELETE", "ROLLBACK")):
        raise invalid(f"Drift detection cannot be performed on stack {stack.id} in {stack.status}")
    found = list(drift.of_resources(stack))
    detection_id = str(uuid.uuid4())
    _detections(state)[detection_id] = {
        "StackId": stack.id,
        "StackDriftDetectionId": detection_id,
        "StackDriftStatus": drift.of_stack(stack),
        "DetectionStatus": "DETECTION_COMPLETE",
        "DriftedStackResourceCount": sum(one.status != "IN_SYNC" for one in found),
        "Timestamp": time_of(time.time()),
    }
    return {"StackDriftDetectionId": detection_id}


def describe_detection(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackDriftDetectionStatus."""
    wanted = call.parameters["StackDriftDetectionId"]
    if wanted not in _detections(state):
        raise invalid(f"Drift detection {wanted} does not exist")
    return _detections(state)[wanted]


def describe_resources(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackResourceDrifts, by status."""
    stack, wanted = stack_of(state, call), call.parameters.get("StackResourceDriftStatusFilters")
    found = [one for one in drift.of_resources(stack) if not wanted or one.status in wanted]
    return page(call, "StackResourceDrifts", [_described(stack, one) for one in found])


def detect_resource(state: SandboxState, call: Call) -> dict[str, Any]:
    """DetectStackResourceDrift."""
    stack, logical = stack_of(state, call), call.parameters["LogicalResourceId"]
    for found in drift.of_resources(stack):
        if found.resource.logical_id == logical:
            return {"StackResourceDrift": _described(stack, found)}
    raise invalid(f"Resource {logical} does not exist for stack {stack.name}")


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
}
