"""CloudFormation: plain stacks, as their API makes, changes, shows and deletes them.

Source: CloudFormation API Reference, CreateStack, UpdateStack, DeleteStack, DescribeStacks,
DescribeStackResources, DescribeStackEvents, GetTemplate, ValidateTemplate.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote, urlsplit

from orchestrator.sandbox import stacks, template
from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.resources import Act
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.stacks import Event, Resource, Stack
from orchestrator.sandbox.template import TemplateError
from orchestrator.sandbox.wire import Call, Fault
from orchestrator.sandbox.world import World, bucket_owner, s3

SERVICE = "cloudformation"
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_BODY_BYTES, _URL_BYTES = 51_200, 1_000_000
_PAGE = 100
# https://<bucket>.s3.<region>.amazonaws.com/<key>, or the bucket in the path.
_S3_HOST = re.compile(r"(?:(?P<bucket>[a-z0-9.-]+)\.)?s3[.-](?P<region>[a-z0-9-]+)\.amazonaws\.com")


def create(world: World, call: Call) -> dict[str, Any]:
    """CreateStack."""
    asked, name = call.parameters, call.parameters["StackName"]
    if not _NAME.fullmatch(name):
        raise _invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy"
            " constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    if any(s.name == name and s.deleted is None for s in _all(world, call)):
        raise Fault("AlreadyExistsException", f"Stack [{name}] already exists")
    body, act = _body(world, call), _act(world, call)
    given = _parameters(asked, {})
    _check(act, name, body, given, asked.get("Capabilities", []))
    stack = Stack(
        act,
        name,
        body,
        given,
        asked.get("Tags", []),
        asked.get("Capabilities", []),
        rolls_back=not asked.get("DisableRollback") and asked.get("OnFailure") != "DO_NOTHING",
    )
    _all(world, call).append(stack)
    stacks.begin(stack, stacks.create(stack, world.stack_seconds))
    return {"StackId": stack.id}


def update(world: World, call: Call) -> dict[str, Any]:
    """UpdateStack: an update that changes nothing is an error."""
    stack, asked = _of(world, call), call.parameters
    if not stack.status.endswith("_COMPLETE") or stack.status.startswith(("ROLLBACK", "DELETE")):
        raise _invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
    body = stack.template if asked.get("UsePreviousTemplate") else _body(world, call)
    given = _parameters(asked, stack.given)
    tags = asked.get("Tags", stack.tags)
    act = Act(world, call.caller.account_id, call.region, call.caller)
    _check(act, stack.name, body, given, asked.get("Capabilities", []))
    same = template.parse(body) == template.parse(stack.template)
    if same and given == stack.given and tags == stack.tags:
        raise _invalid("No updates are to be performed.")
    stack.act, stack.capabilities = act, asked.get("Capabilities", [])
    stacks.begin(stack, stacks.update(stack, body, given, tags, world.stack_seconds))
    return {"StackId": stack.id}


def delete(world: World, call: Call) -> dict[str, Any]:
    """DeleteStack; deleting what is not there succeeds."""
    name, retain = call.parameters["StackName"], call.parameters.get("RetainResources", [])
    stack = _find(world, call, name)
    if stack is None or stack.deleted is not None:
        return {}
    if retain and stack.status != "DELETE_FAILED":
        raise _invalid("Invalid operation on stack: RetainResources needs a DELETE_FAILED stack")
    stack.act = _act(world, call)
    stacks.begin(stack, stacks.delete(stack, retain, world.stack_seconds))
    return {}


def describe(world: World, call: Call) -> dict[str, Any]:
    """DescribeStacks: one, by name or id, or all that are not deleted."""
    if "StackName" in call.parameters:
        return {"Stacks": [_described(_of(world, call))]}
    found = [s for s in reversed(_all(world, call)) if s.deleted is None]
    return _page(call, "Stacks", [_described(stack) for stack in found])


def list_all(world: World, call: Call) -> dict[str, Any]:
    """ListStacks, deleted ones too, by status."""
    wanted = call.parameters.get("StackStatusFilter")
    found = [s for s in reversed(_all(world, call)) if not wanted or s.status in wanted]
    return _page(call, "StackSummaries", [_summary(stack) for stack in found])


def describe_resources(world: World, call: Call) -> dict[str, Any]:
    """DescribeStackResources: of a stack, or of the stack that has a physical resource."""
    asked = call.parameters
    physical = asked.get("PhysicalResourceId")
    if physical is not None:
        stack = next((s for s in _all(world, call) if _has(s, physical)), None)
        if stack is None:
            raise _invalid(f"Stack for {physical} does not exist")
    else:
        stack = _of(world, call)
    logical = asked.get("LogicalResourceId")
    return {
        "StackResources": [
            {"StackId": stack.id, "StackName": stack.name, **_resource(resource)}
            for resource in stack.resources.values()
            if logical in (None, resource.logical_id)
        ]
    }


def describe_resource(world: World, call: Call) -> dict[str, Any]:
    """DescribeStackResource."""
    stack, logical = _of(world, call), call.parameters["LogicalResourceId"]
    if logical not in stack.resources:
        raise _invalid(f"Resource {logical} does not exist for stack {stack.name}")
    found = _resource(stack.resources[logical])
    found["LastUpdatedTimestamp"] = found.pop("Timestamp")
    return {"StackResourceDetail": {"StackId": stack.id, "StackName": stack.name, **found}}


def list_resources(world: World, call: Call) -> dict[str, Any]:
    """ListStackResources."""
    found = [_resource(resource) for resource in _of(world, call).resources.values()]
    for resource in found:
        resource["LastUpdatedTimestamp"] = resource.pop("Timestamp")
    return _page(call, "StackResourceSummaries", found)


def describe_events(world: World, call: Call) -> dict[str, Any]:
    """DescribeStackEvents, the newest first."""
    stack = _of(world, call)
    return _page(call, "StackEvents", [_event(stack, event) for event in reversed(stack.events)])


def get_template(world: World, call: Call) -> dict[str, Any]:
    """GetTemplate, as it was given: an object for JSON, text for YAML."""
    stack = _of(world, call)
    return {"TemplateBody": stack.template, "StagesAvailable": ["Original", "Processed"]}


def summarize(world: World, call: Call) -> dict[str, Any]:
    """GetTemplateSummary, of a template or of a stack."""
    if "StackName" in call.parameters:
        return _summarized(_of(world, call).template)
    return _summarized(_body(world, call))


def validate(world: World, call: Call) -> dict[str, Any]:
    """ValidateTemplate."""
    summary = _summarized(_body(world, call))
    for name in ("ResourceTypes", "Version"):
        summary.pop(name, None)
    for parameter in summary["Parameters"]:
        parameter.pop("ParameterType")
        parameter.pop("ParameterConstraints")
    return summary


def _summarized(body: str) -> dict[str, Any]:
    try:
        parsed = template.parse(body)
    except TemplateError as error:
        raise _invalid(str(error)) from None
    needed = template.capabilities(parsed)
    summary: dict[str, Any] = {
        "Parameters": [_declared(n, p) for n, p in parsed.get("Parameters", {}).items()],
        "Description": parsed.get("Description", ""),
        "ResourceTypes": sorted({r["Type"] for r in parsed["Resources"].values()}),
        "Version": str(parsed.get("AWSTemplateFormatVersion", "2010-09-09")),
    }
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


def _check(
    act: Act, name: str, body: str, given: dict[str, str], acknowledged: Iterable[str]
) -> None:
    try:
        needed = template.capabilities(template.parse(body))
        stacks.check(act, name, body, given)
    except TemplateError as error:
        raise _invalid(str(error)) from None
    enough = {needed, "CAPABILITY_NAMED_IAM"}  # the latter includes CAPABILITY_IAM
    if needed and not enough & set(acknowledged):
        raise Fault("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def _body(world: World, call: Call) -> str:
    """The template, from the call itself or from S3, where its caller must be able to read it."""
    asked = call.parameters
    if "TemplateBody" in asked:
        body = str(asked["TemplateBody"])
        if len(body.encode()) > _BODY_BYTES:
            raise _invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy"
                f" constraint: Member must have length less than or equal to {_BODY_BYTES}"
            )
        return body
    if "TemplateURL" not in asked:
        raise _invalid("Either Template URL or Template Body must be specified.")
    url = urlsplit(asked["TemplateURL"])
    host = _S3_HOST.fullmatch(url.hostname or "")
    if url.scheme != "https" or host is None:
        raise _invalid("TemplateURL must be a supported URL.")
    path = unquote(url.path).lstrip("/")
    bucket, key = (host["bucket"], path) if host["bucket"] else path.split("/", 1)
    owner = bucket_owner(bucket)
    if owner is None:
        raise _invalid("S3 error: The specified bucket does not exist")
    if s3(owner).get_bucket(bucket).region_name != host["region"]:
        raise _invalid(
            "S3 error: The bucket you are attempting to access must be addressed using the"
            " specified endpoint."
        )
    reading = Call(
        "s3", "GetObject", host["region"], call.caller, {}, {"Bucket": bucket, "Key": key}
    )
    try:
        authorize(world, reading)
    except Fault:
        raise _invalid("S3 error: Access Denied") from None
    found = s3(owner).get_object(bucket, key)
    if found is None:
        raise _invalid("S3 error: The specified key does not exist.")
    content: bytes = found.value
    if len(content) > _URL_BYTES:
        raise _invalid(f"Template may not exceed {_URL_BYTES} bytes in size.")
    return content.decode()


def _parameters(asked: Mapping[str, Any], previous: Mapping[str, str]) -> dict[str, str]:
    return {
        entry["ParameterKey"]: previous.get(entry["ParameterKey"], "")
        if entry.get("UsePreviousValue")
        else entry.get("ParameterValue", "")
        for entry in asked.get("Parameters", [])
    }


def _act(world: World, call: Call) -> Act:
    return Act(world, call.caller.account_id, call.region, call.caller)


def _all(world: World, call: Call) -> list[Stack]:
    return stacks.of(world, call.caller.account_id, call.region)


def _find(world: World, call: Call, name: str) -> Stack | None:
    """By name the one that is not deleted; by id any."""
    for stack in _all(world, call):
        if stack.id == name or (stack.name == name and stack.deleted is None):
            return stack
    return None


def _of(world: World, call: Call) -> Stack:
    name = call.parameters["StackName"]
    stack = _find(world, call, name)
    if stack is None:
        raise _invalid(f"Stack with id {name} does not exist")
    return stack


def _has(stack: Stack, physical: str) -> bool:
    if stack.deleted is not None:
        return False
    there = (r for r in stack.resources.values() if r.status != "DELETE_COMPLETE")
    return physical == stack.id or any(r.physical_id == physical for r in there)


def _described(stack: Stack) -> dict[str, Any]:
    declared = template.parse(stack.template)
    values = template.values_of(declared, stack.given)
    hidden = {n for n, p in declared.get("Parameters", {}).items() if p.get("NoEcho")}
    outputs = declared.get("Outputs", {})
    described = {
        "StackId": stack.id,
        "StackName": stack.name,
        "Description": declared.get("Description", ""),
        "Parameters": [
            {"ParameterKey": name, "ParameterValue": "****" if name in hidden else value}
            for name, value in values.items()
        ],
        "CreationTime": _time(stack.created),
        "StackStatus": stack.status,
        "DisableRollback": not stack.rolls_back,
        "Capabilities": stack.capabilities,
        "Outputs": [
            {
                "OutputKey": name,
                "OutputValue": value,
                "Description": outputs[name].get("Description", ""),
            }
            for name, value in stack.outputs.items()
        ],
        "Tags": stack.tags,
        "NotificationARNs": [],
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    return described | _sometimes(stack)


def _summary(stack: Stack) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": template.parse(stack.template).get("Description", ""),
        "CreationTime": _time(stack.created),
        "StackStatus": stack.status,
    } | _sometimes(stack)


def _sometimes(stack: Stack) -> dict[str, Any]:
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


def _page(call: Call, name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    start = int(call.parameters.get("NextToken") or 0)
    page: dict[str, Any] = {name: entries[start : start + _PAGE]}
    if start + _PAGE < len(entries):
        page["NextToken"] = str(start + _PAGE)
    return page


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def _invalid(message: str) -> Fault:
    return Fault("ValidationError", message)


OPERATIONS: dict[str, Operation] = {
    "CreateStack": create,
    "DeleteStack": delete,
    "DescribeStackEvents": describe_events,
    "DescribeStackResource": describe_resource,
    "DescribeStackResources": describe_resources,
    "DescribeStacks": describe,
    "GetTemplate": get_template,
    "GetTemplateSummary": summarize,
    "ListStackResources": list_resources,
    "ListStacks": list_all,
    "UpdateStack": update,
    "ValidateTemplate": validate,
}
