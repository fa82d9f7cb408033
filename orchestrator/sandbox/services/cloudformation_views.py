"""CloudFormation: describe stacks and templates.

Source: CloudFormation API Reference, DescribeStacks, ListStacks, DescribeStackResources,
DescribeStackEvents, GetTemplate, GetTemplateSummary, ValidateTemplate.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox import stacks, template
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.cloudformation_stacks import body_of, invalid, stack_of
from orchestrator.sandbox.stacks import Event, Resource, Stack
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.template_parser import TemplateError, parse_template
from orchestrator.sandbox.wire import Call

SERVICE = "cloudformation"
_PAGE = 100


def describe(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStacks: one by name or id, or all except deleted ones."""
    if "StackName" in call.parameters:
        return {"Stacks": [_described(stack_of(state, call))]}
    found = [s for s in reversed(_all(state, call)) if s.deleted is None]
    return _page(call, "Stacks", [_described(stack) for stack in found])


def list_all(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStacks: also deleted ones, filtered by status."""
    wanted = call.parameters.get("StackStatusFilter")
    found = [s for s in reversed(_all(state, call)) if not wanted or s.status in wanted]
    return _page(call, "StackSummaries", [_summary(stack) for stack in found])


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
    if logical not in stack.resources:
        raise invalid(f"Resource {logical} does not exist for stack {stack.name}")
    found = _resource(stack.resources[logical])
    found["LastUpdatedTimestamp"] = found.pop("Timestamp")
    return {"StackResourceDetail": {"StackId": stack.id, "StackName": stack.name, **found}}


def list_resources(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListStackResources."""
    found = [_resource(resource) for resource in stack_of(state, call).resources.values()]
    for resource in found:
        resource["LastUpdatedTimestamp"] = resource.pop("Timestamp")
    return _page(call, "StackResourceSummaries", found)


def describe_events(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeStackEvents: the newest first."""
    stack = stack_of(state, call)
    return _page(call, "StackEvents", [_event(stack, event) for event in reversed(stack.events)])


def get_template(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetTemplate: the text that the stack was created or updated with."""
    stack = stack_of(state, call)
    return {"TemplateBody": stack.template, "StagesAvailable": ["Original", "Processed"]}


def summarize(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetTemplateSummary: of a template or of a stack."""
    if "StackName" in call.parameters:
        return _summarized(stack_of(state, call).template)
    return _summarized(body_of(state, call))


def validate(state: SandboxState, call: Call) -> dict[str, Any]:
    """ValidateTemplate."""
    summary = _summarized(body_of(state, call))
    for name in ("ResourceTypes", "Version"):
        summary.pop(name, None)
    for parameter in summary["Parameters"]:
        parameter.pop("ParameterType")
        parameter.pop("ParameterConstraints")
    return summary


def _summarized(body: str) -> dict[str, Any]:
    try:
        parsed = parse_template(body)
    except TemplateError as error:
        raise invalid(str(error)) from None
    needed = template.capabilities(parsed)
    summary: dict[str, Any] = {
        "Parameters": [_declared(n, p) for n, p in parsed.get("Parameters", {}).items()],
        "ResourceTypes": sorted({r["Type"] for r in parsed["Resources"].values()}),
        "Version": str(parsed.get("AWSTemplateFormatVersion", "2010-09-09")),
    }
    if "Description" in parsed:
        summary["Description"] = parsed["Description"]
    if needed:
        summary["Capabilities"] = [needed]
        summary["CapabilitiesReason"] = (
            "The following resource(s) require capabilities: [AWS::IAM::Role]"
        )
    return summary


def _declared(name: str, parameter: Mapping[str, Any]) -> dict[str, Any]:
    declared = {
        "ParameterKey": name,
        "ParameterType": parameter["Type"],
        "NoEcho": bool(parameter.get("NoEcho")),
        "Description": parameter.get("Description", ""),
        "ParameterConstraints": {"AllowedValues": list(parameter.get("AllowedValues", []))},
    }
    return declared | (
        {"DefaultValue": str(parameter["Default"])} if "Default" in parameter else {}
    )


def _owns(stack: Stack, physical: str) -> bool:
    if stack.deleted is not None:
        return False
    there = (r for r in stack.resources.values() if r.status != "DELETE_COMPLETE")
    return physical == stack.id or any(r.physical_id == physical for r in there)


def _described(stack: Stack) -> dict[str, Any]:
    declared = parse_template(stack.template)
    values = template.values_of(declared, stack.parameters)
    hidden = {n for n, p in declared.get("Parameters", {}).items() if p.get("NoEcho")}
    outputs = declared.get("Outputs", {})
    described = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": _time(stack.created),
        "StackStatus": stack.status,
        "DisableRollback": not stack.rollback_on_failure,
        "RollbackConfiguration": {},
        "Tags": stack.tags,
        "NotificationARNs": [],
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    if stack.deleted is None:
        described["EnableTerminationProtection"] = False
    filled = {
        "Description": declared.get("Description"),
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": "****" if name in hidden else value}
            for name, value in values.items()
        ],
        "Capabilities": stack.capabilities,
        "Outputs": [
            {
                "OutputKey": name,
                "OutputValue": value,
                **{n: v for n, v in outputs[name].items() if n == "Description"},
            }
            for name, value in stack.outputs.items()
        ],
    }
    described.update({name: value for name, value in filled.items() if value})  # empty: absent
    return described | _optional_fields(stack)


def _summary(stack: Stack) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": parse_template(stack.template).get("Description", ""),
        "CreationTime": _time(stack.created),
        "StackStatus": stack.status,
    } | _optional_fields(stack)


def _optional_fields(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = {"StackStatusReason": stack.reason} if stack.reason else {}
    if stack.changed:
        found["LastUpdatedTime"] = _time(stack.changed)
    if stack.deleted:
        found["DeletionTime"] = _time(stack.deleted)
    return found


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
        "Timestamp": _time(resource.changed),
        "ResourceStatus": resource.status,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    } | ({"ResourceStatusReason": resource.reason} if resource.reason else {})


def _event(stack: Stack, event: Event) -> dict[str, Any]:
    properties = (
        stack.resources[event.logical_id].properties
        if (event.logical_id in stack.resources)
        else {}
    )
    return (
        {
            "StackId": stack.id,
            "EventId": event.id,
            "StackName": stack.name,
            "LogicalResourceId": event.logical_id,
            "PhysicalResourceId": event.physical_id,
            "ResourceType": event.type,
            "Timestamp": _time(event.time),
            "ResourceStatus": event.status,
        }
        | ({"ResourceStatusReason": event.reason} if event.reason else {})
        | ({"ResourceProperties": json.dumps(properties)} if properties else {})
    )


def _all(state: SandboxState, call: Call) -> list[Stack]:
    return stacks.of(state, call.caller.account_id, call.region)


def _page(call: Call, name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    start = int(call.parameters.get("NextToken") or 0)
    page: dict[str, Any] = {name: entries[start : start + _PAGE]}
    if start + _PAGE < len(entries):
        page["NextToken"] = str(start + _PAGE)
    return page


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


OPERATIONS: dict[str, Operation] = {
    "DescribeStackEvents": describe_events,
    "DescribeStackResource": describe_resource,
    "DescribeStackResources": describe_resources,
    "DescribeStacks": describe,
    "GetTemplate": get_template,
    "GetTemplateSummary": summarize,
    "ListStackResources": list_resources,
    "ListStacks": list_all,
    "ValidateTemplate": validate,
}
