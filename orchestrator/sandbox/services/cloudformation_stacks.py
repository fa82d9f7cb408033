"""CloudFormation: plain stacks made, changed and deleted.

Source: CloudFormation API Reference, CreateStack, UpdateStack, DeleteStack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from orchestrator.sandbox import stack_changes, stacks, template
from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.resources import Act
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.stacks import Stack
from orchestrator.sandbox.template_parser import TemplateError, parse_template
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
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy"
            " constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    if stacks.find(world, call.caller.account_id, call.region, name) is not None:
        raise Fault("AlreadyExistsException", f"Stack [{name}] already exists")
    body, act = body_of(world, call), _act(world, call)
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
    stacks.of(world, call.caller.account_id, call.region).append(stack)
    stack_changes.begin(stack, stack_changes.create(stack, world.stack_seconds))
    return {"StackId": stack.id}


def update(world: World, call: Call) -> dict[str, Any]:
    """UpdateStack: an update that changes nothing is an error."""
    stack, asked = stack_of(world, call), call.parameters
    if not stack.status.endswith("_COMPLETE") or stack.status.startswith(("ROLLBACK", "DELETE")):
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
    body = stack.template if asked.get("UsePreviousTemplate") else body_of(world, call)
    given = _parameters(asked, stack.given)
    tags = asked.get("Tags", stack.tags)
    act = Act(world, call.caller.account_id, call.region, call.caller)
    _check(act, stack.name, body, given, asked.get("Capabilities", []))
    if not stack.differs(body, given, tags):
        raise invalid("No updates are to be performed.")
    stack.act, stack.capabilities = act, asked.get("Capabilities", [])
    stack_changes.begin(stack, stack_changes.update(stack, body, given, tags, world.stack_seconds))
    return {"StackId": stack.id}


def delete(world: World, call: Call) -> dict[str, Any]:
    """DeleteStack; deleting what is not there succeeds."""
    name, retain = call.parameters["StackName"], call.parameters.get("RetainResources", [])
    stack = stacks.find(world, call.caller.account_id, call.region, name)
    if stack is None or stack.deleted is not None:
        return {}
    if retain and stack.status != "DELETE_FAILED":
        raise invalid("Invalid operation on stack: RetainResources needs a DELETE_FAILED stack")
    stack.act = _act(world, call)
    stack_changes.begin(stack, stack_changes.delete(stack, retain, world.stack_seconds))
    return {}


def _check(
    act: Act, name: str, body: str, given: dict[str, str], acknowledged: Iterable[str]
) -> None:
    try:
        needed = template.capabilities(parse_template(body))
        stack_changes.check(act, name, body, given)
    except TemplateError as error:
        raise invalid(str(error)) from None
    enough = {needed, "CAPABILITY_NAMED_IAM"}  # the latter includes CAPABILITY_IAM
    if needed and not enough & set(acknowledged):
        raise Fault("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def body_of(world: World, call: Call) -> str:
    """The template, from the call itself or from S3, where its caller must be able to read it.

    Raises:
        Fault: it is too large, cannot be read, or is not named.
    """
    asked = call.parameters
    if "TemplateBody" in asked:
        body = str(asked["TemplateBody"])
        if len(body.encode()) > _BODY_BYTES:
            raise invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy"
                f" constraint: Member must have length less than or equal to {_BODY_BYTES}"
            )
        return body
    if "TemplateURL" not in asked:
        raise invalid("Either Template URL or Template Body must be specified.")
    url = urlsplit(asked["TemplateURL"])
    host = _S3_HOST.fullmatch(url.hostname or "")
    if url.scheme != "https" or host is None:
        raise invalid("TemplateURL must be a supported URL.")
    path = unquote(url.path).lstrip("/")
    bucket, key = (host["bucket"], path) if host["bucket"] else path.split("/", 1)
    owner = bucket_owner(bucket)
    if owner is None:
        raise invalid("S3 error: The specified bucket does not exist")
    if s3(owner).get_bucket(bucket).region_name != host["region"]:
        raise invalid(
            "S3 error: The bucket you are attempting to access must be addressed using the"
            " specified endpoint."
        )
    reading = Call(
        "s3", "GetObject", host["region"], call.caller, {}, {"Bucket": bucket, "Key": key}
    )
    try:
        authorize(world, reading)
    except Fault:
        raise invalid("S3 error: Access Denied") from None
    found = s3(owner).get_object(bucket, key)
    if found is None:
        raise invalid("S3 error: The specified key does not exist.")
    content: bytes = found.value
    if len(content) > _URL_BYTES:
        raise invalid(f"Template may not exceed {_URL_BYTES} bytes in size.")
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


def stack_of(world: World, call: Call) -> Stack:
    """The stack that a call names, by name or id.

    Raises:
        Fault: there is none.
    """
    name = call.parameters["StackName"]
    stack = stacks.find(world, call.caller.account_id, call.region, name)
    if stack is None:
        raise invalid(f"Stack with id {name} does not exist")
    return stack


def invalid(message: str) -> Fault:
    """The error that CloudFormation answers most refusals with."""
    return Fault("ValidationError", message)


OPERATIONS: dict[str, Operation] = {
    "CreateStack": create,
    "DeleteStack": delete,
    "UpdateStack": update,
}
