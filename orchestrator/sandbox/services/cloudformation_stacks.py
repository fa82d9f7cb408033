"""CloudFormation: create, update and delete stacks.

Source: CloudFormation API Reference, CreateStack, UpdateStack, DeleteStack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from orchestrator.sandbox import stack_changes, stacks, template
from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.resources import Actor
from orchestrator.sandbox.services import Operation, Permission
from orchestrator.sandbox.stacks import Stack
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.template_parser import TemplateError, parse_template
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "cloudformation"
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_BODY_BYTES, _URL_BYTES = 51_200, 1_000_000
_GLOBAL_REGION = "us-east-1"
# https://<bucket>.s3.<region>.amazonaws.com/<key>, or the bucket in the path, or no region.
_S3_HOST = re.compile(
    r"(?:(?P<bucket>[a-z0-9.-]+?)\.)?s3(?:[.-](?:dualstack\.)?(?P<region>[a-z]+-[a-z0-9-]+))?"
    r"\.amazonaws\.com"
)


def permissions(_state: SandboxState, call: Call) -> Iterator[Permission]:
    """Yield what a stack with a role needs: to pass that role."""
    if call.operation == "CreateStack" and call.parameters.get("RoleARN"):
        passed_to = {"iam:PassedToService": "cloudformation.amazonaws.com"}
        yield Permission("iam:PassRole", call.parameters["RoleARN"], passed_to)


def create(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateStack."""
    arguments, name = call.parameters, call.parameters["StackName"]
    if not _NAME.fullmatch(name):
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy"
            " constraint: Member must satisfy regular expression pattern:"
            " [a-zA-Z][-a-zA-Z0-9]*|arn:[-a-zA-Z0-9:/._+]*"
        )
    if stacks.find(state, call.caller.account_id, call.region, name) is not None:
        raise ServiceError("AlreadyExistsException", f"Stack [{name}] already exists")
    body, actor = body_of(state, call), _actor(state, call)
    parameters = _parameters(arguments, {})
    _check(actor, name, body, parameters, arguments.get("Capabilities", []))
    stack = Stack(
        actor,
        name,
        body,
        parameters,
        arguments.get("Tags", []),
        arguments.get("Capabilities", []),
        rollback_on_failure=not arguments.get("DisableRollback")
        and arguments.get("OnFailure") != "DO_NOTHING",
    )
    stacks.of(state, call.caller.account_id, call.region).append(stack)
    stack_changes.start(stack, stack_changes.create(stack, paced=True))
    return {"StackId": stack.id}


def update(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateStack: an update that changes nothing is an error."""
    stack, arguments = stack_of(state, call), call.parameters
    if not stack.status.endswith("_COMPLETE") or stack.status.startswith(("ROLLBACK", "DELETE")):
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
    body = stack.template if arguments.get("UsePreviousTemplate") else body_of(state, call)
    previous = template.values_of(parse_template(stack.template), stack.parameters)
    parameters = _parameters(arguments, previous)  # a default is a previous value too
    tags = arguments.get("Tags", stack.tags)
    actor = Actor(state, call.caller.account_id, call.region, call.caller)
    _check(actor, stack.name, body, parameters, arguments.get("Capabilities", []))
    if not stack.would_change(body, parameters, tags):
        raise invalid("No updates are to be performed.")
    stack.actor, stack.capabilities = actor, arguments.get("Capabilities", [])
    stack_changes.start(stack, stack_changes.update(stack, body, parameters, tags, paced=True))
    return {"StackId": stack.id}


def delete(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteStack: deleting a stack that does not exist succeeds."""
    name, retain = call.parameters["StackName"], call.parameters.get("RetainResources", [])
    stack = stacks.find(state, call.caller.account_id, call.region, name)
    if stack is None or stack.deleted is not None:
        return {}
    if retain and stack.status != "DELETE_FAILED":
        raise invalid("Invalid operation on stack: RetainResources needs a DELETE_FAILED stack")
    stack.actor = _actor(state, call)
    stack_changes.start(stack, stack_changes.delete(stack, retain, paced=True))
    return {}


def _check(
    actor: Actor, name: str, body: str, parameters: dict[str, str], acknowledged: Iterable[str]
) -> None:
    try:
        needed = template.capabilities(parse_template(body))
        stack_changes.check(actor, name, body, parameters)
    except TemplateError as error:
        raise invalid(str(error)) from None
    enough = {needed, "CAPABILITY_NAMED_IAM"}  # the latter includes CAPABILITY_IAM
    if needed and not enough & set(acknowledged):
        raise ServiceError(
            "InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]"
        )


def body_of(state: SandboxState, call: Call) -> str:
    """Get the template of a call: its body, or an object in S3 that the caller may read.

    Raises:
        ServiceError: the template is too large, cannot be read, or is missing.
    """
    arguments = call.parameters
    if "TemplateBody" in arguments:
        body = str(arguments["TemplateBody"])
        if len(body.encode()) > _BODY_BYTES:
            raise invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy"
                f" constraint: Member must have length less than or equal to {_BODY_BYTES}"
            )
        return body
    if "TemplateURL" not in arguments:
        raise invalid("Either Template URL or Template Body must be specified.")
    url = urlsplit(arguments["TemplateURL"])
    host = _S3_HOST.fullmatch(url.hostname or "")
    if url.scheme == "s3":
        raise invalid(f"S3 error: Domain name specified in {url.hostname} is not a valid S3 domain")
    if url.scheme != "https" or host is None:
        raise invalid("TemplateURL must be a supported URL.")
    path = unquote(url.path).lstrip("/")
    bucket, key = (host["bucket"], path) if host["bucket"] else path.split("/", 1)
    owner = bucket_owner(bucket)
    if owner is None:
        raise invalid("S3 error: The specified bucket does not exist")
    if s3(owner).get_bucket(bucket).region_name != (host["region"] or _GLOBAL_REGION):
        raise invalid(
            "S3 error: The bucket you are attempting to access must be addressed using the"
            " specified endpoint."
        )
    reading = Call(
        "s3",
        "GetObject",
        host["region"] or _GLOBAL_REGION,
        call.caller,
        {},
        {"Bucket": bucket, "Key": key},
    )
    try:
        authorize(state, reading)
    except ServiceError:
        raise invalid("S3 error: Access Denied") from None
    found = s3(owner).get_object(bucket, key)
    if found is None:
        raise invalid("S3 error: The specified key does not exist.")
    content: bytes = found.value
    if len(content) > _URL_BYTES:
        raise invalid(f"Template may not exceed {_URL_BYTES} bytes in size.")
    return content.decode()


def _parameters(arguments: Mapping[str, Any], previous: Mapping[str, str]) -> dict[str, str]:
    return {
        entry["ParameterKey"]: previous.get(entry["ParameterKey"], "")
        if entry.get("UsePreviousValue")
        else entry.get("ParameterValue", "")
        for entry in arguments.get("Parameters", [])
    }


def _actor(state: SandboxState, call: Call) -> Actor:
    return Actor(state, call.caller.account_id, call.region, call.caller)


def stack_of(state: SandboxState, call: Call) -> Stack:
    """Get the stack that a call names by name or id.

    Raises:
        ServiceError: there is no such stack.
    """
    name = call.parameters.get("StackName")
    if name is None:
        raise invalid("StackName is required if ChangeSetName is not specified.")
    stack = stacks.find(state, call.caller.account_id, call.region, name)
    if stack is None and call.operation == "DescribeStackEvents":
        raise invalid(f"Stack [{name}] does not exist")
    if stack is None:
        raise invalid(f"Stack with id {name} does not exist")
    return stack


def invalid(message: str) -> ServiceError:
    """Make the error code by which CloudFormation refuses most calls."""
    return ServiceError("ValidationError", message)


OPERATIONS: dict[str, Operation] = {
    "CreateStack": create,
    "DeleteStack": delete,
    "UpdateStack": update,
}
