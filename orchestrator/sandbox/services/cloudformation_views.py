"""CloudFormation: describe stacks, their resources and events.

Source: CloudFormation API Reference, DescribeStacks, ListStacks, DescribeStackResources,
DescribeStackEvents.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox import stacks
from orchestrator.sandbox.resources import Actor
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.stack_arguments import invalid, stack_of
from orchestrator.sandbox.stacks import Event, Resource, Stack
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.template_parameters import stored_names, text_of, values_of
from orchestrator.sandbox.template_parser import TemplateError, parse_template
from orchestrator.sandbox.wire import Call

SERVICE = "cloudformation"
_PAGE = 100
_OF_NESTED = ("ParentId", "RootId")


def describe(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStacks: one by name or id, or all except deleted ones."""
    if "StackName" in call.parameters:
        return {"Stacks": [_described(stack_of(state, call))]}
    found = [s for s in reversed(_all(state, call)) if s.deleted is None]
    return page(call, "Stacks", [_described(stack) for stack in found])


def list_all(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStacks: also deleted ones, filtered by status."""
    wanted = call.parameters.get("StackStatusFilter")
    found = [s for s in reversed(_all(state, call)) if not wanted or s.status in wanted]
    return page(call, "StackSummaries", [_summary(stack) for stack in found])


def describe_resources(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackResources: of a stack, or of the stack with a physical resource."""
    arguments = call.parameters
    physical = arguments.get("PhysicalResourceId")
    if physical is not None:
        stack = next(
            (s for s in _all(state, call) if _owns(s, physical)),
            None,
        )
        if stack is None:
            raise invalid(f"Stack for {physical} does not exist")
    else:
        stack = stack_of(state, call)
    logical = arguments.get("LogicalResourceId")
    return {
        "StackResources": [
            {"StackId": stack.id, "StackName": stack.name, **_resource(resource)}
            for resource in stack.resources.values()
            if logical in (None, resource.logical_id)
        ]
    }


def describe_resource(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackResource."""
    stack, logical = stack_of(state, call), call.parameters["LogicalResourceId"]
    resource = stack.resources.get(logical)
    if resource is None or resource.status == "DELETE_COMPLETE":
        name = call.parameters["StackName"]
        raise invalid(f"Resource {logical} does not exist for stack {name}")
    found = {**_resource(resource), "Metadata": json.dumps(resource.metadata)}
    found["LastUpdatedTimestamp"] = found.pop("Timestamp")
    return {"StackResourceDetail": {"StackId": stack.id, "StackName": stack.name, **found}}


def list_resources(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackResources."""
    found = [_resource(resource) for resource in stack_of(state, call).resources.values()]
    for resource in found:
        resource["LastUpdatedTimestamp"] = resource.pop("Timestamp")
    return page(call, "StackResourceSummaries", found)


def describe_events(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackEvents: the newest first."""
    stack = stack_of(state, call)
    return page(call, "StackEvents", [_event(stack, event) for event in reversed(stack.events)])


def _owns(stack: Stack, physical: str) -> bool:
    if stack.deleted is not None:
        return False
    there = (r for r in stack.resources.values() if r.status != "DELETE_COMPLETE")
    return physical == stack.id or any(r.physical_id == physical for r in there)


def parameters_of(
    actor: Actor, body: str, given: Mapping[str, str], known: Mapping[str, Any] | None = None
) -> list[dict[str, str]]:
    """Describe a template's parameters; values that must not be shown are asterisks.

    Of the Parameter Store, those are ``known`` that a stack's latest change has used.
    """
    declared = parse_template(body)
    values = values_of(declared, given)
    hidden = {
        name
        for name, parameter in declared.get("Parameters", {}).items()
        if text_of(parameter.get("NoEcho", False)) == "true"
    }
    try:
        stored = stacks.stored_values(actor, stored_names(declared, values), known)
    except TemplateError:  # since deleted from the Parameter Store
        stored = {}
    return [
        {"ParameterKey": name, "ParameterValue": "****" if name in hidden else value}
        | ({"ResolvedValue": stored[name]} if name in stored else {})
        for name, value in sorted(values.items())
    ]


def _described(stack: Stack) -> dict[str, Any]:
    described = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": time_of(stack.created),
        "StackStatus": stack.status,
        "DisableRollback": not stack.rollback_on_failure and "ParentId" not in stack.settings,
        "RollbackConfiguration": stack.settings.get("RollbackConfiguration", {}),
        "Tags": stack.tags,
        "NotificationARNs": stack.settings.get("NotificationARNs", []),
        "DriftInformation": _drift(stack, "StackDriftStatus"),
    }
    if stack.deleted is None:
        protected = bool(stack.settings.get("EnableTerminationProtection"))
        described["EnableTerminationProtection"] = protected
    for name in ("RoleARN", "TimeoutInMinutes", "RetainExceptOnCreate"):
        if name in stack.settings:
            described[name] = stack.settings[name]
    if stack.template:
        declared = parse_template(stack.template)
        filled = {
            "Description": declared.get("Description"),
            "Parameters": parameters_of(
                stack.actor, stack.template, stack.parameters, stack.values
            ),
            "Capabilities": stack.capabilities,
            "Outputs": _outputs(stack, declared.get("Outputs", {})),
        }
        described.update({n: value for n, value in filled.items() if value})  # empty: absent
    if stack.change_set_id and stack.deleted is None:
        described["ChangeSetId"] = stack.change_set_id
    return described | _optional_fields(stack)


def _outputs(stack: Stack, declared: Mapping[str, Any]) -> list[dict[str, str]]:
    exported = {value: name for name, value in stack.exports.items()}
    outputs = []
    for name, value in stack.outputs.items():
        output = {"OutputKey": name, "OutputValue": value}
        if "Description" in declared[name]:
            output["Description"] = declared[name]["Description"]
        if "Export" in declared[name]:
            output["ExportName"] = exported[value]
        outputs.append(output)
    return outputs


def _summary(stack: Stack) -> dict[str, Any]:
    summary = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": time_of(stack.created),
        "StackStatus": stack.status,
        "DriftInformation": _drift(stack, "StackDriftStatus"),
    }
    description = parse_template(stack.template).get("Description") if stack.template else None
    return (
        summary
        | ({"TemplateDescription": description} if description else {})
        | _optional_fields(stack)
    )


def _optional_fields(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = {n: stack.settings[n] for n in _OF_NESTED if n in stack.settings}
    if stack.reason:
        found["StackStatusReason"] = stack.reason
    if stack.changed:
        found["LastUpdatedTime"] = time_of(stack.changed)
    if stack.deletion_started:
        found["DeletionTime"] = time_of(stack.deletion_started)
    return found


def _drift(checked: Stack | Resource, name: str) -> dict[str, Any]:
    return {name: checked.drift} | (
        {"LastCheckTimestamp": time_of(checked.drift_checked)} if checked.drift_checked else {}
    )


def _resource(resource: Resource) -> dict[str, Any]:
    described = {
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.type,
        "Timestamp": time_of(resource.changed),
        "ResourceStatus": resource.status,
        "DriftInformation": _drift(resource, "StackResourceDriftStatus"),
    }
    if resource.physical_id:
        described["PhysicalResourceId"] = resource.physical_id
    return described | ({"ResourceStatusReason": resource.reason} if resource.reason else {})


def _event(stack: Stack, event: Event) -> dict[str, Any]:
    return (
        {
            "StackId": stack.id,
            "EventId": event.id,
            "StackName": stack.name,
            "LogicalResourceId": event.logical_id,
            "PhysicalResourceId": event.physical_id,
            "ResourceType": event.type,
            "Timestamp": time_of(event.time),
            "ResourceStatus": event.status,
        }
        | ({"ResourceStatusReason": event.reason} if event.reason else {})
        | ({"ClientRequestToken": event.token} if event.token else {})
        | ({"ResourceProperties": json.dumps(event.properties)} if event.properties else {})
    )


def _all(state: SandboxState, call: Call) -> list[Stack]:
    return stacks.of(state, call.caller.account_id, call.region)


def start_of(call: Call) -> int:
    """Get where the page that a call asks for begins.

    Raises:
        ServiceError: the token is not one of ours.
    """
    token = str(call.parameters.get("NextToken") or 0)
    if not token.isdigit():
        raise invalid(f"Invalid NextToken: {token}")
    return int(token)


def page(call: Call, name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Get the page of a list that a call asks for."""
    start = start_of(call)
    found: dict[str, Any] = {name: entries[start : start + _PAGE]}
    if start + _PAGE < len(entries):
        found["NextToken"] = str(start + _PAGE)
    return found


def time_of(seconds: float) -> datetime:
    """Convert a time to the API's."""
    return datetime.fromtimestamp(seconds, timezone.utc)


OPERATIONS: dict[str, Operation] = {
    "DescribeStackEvents": describe_events,
    "DescribeStackResource": describe_resource,
    "DescribeStackResources": describe_resources,
    "DescribeStacks": describe,
    "ListStackResources": list_resources,
    "ListStacks": list_all,
}
