"""Read and check the parameters of calls about stacks.

Source: CloudFormation API Reference, CreateStack, UpdateStack, CreateChangeSet; recorded errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from orchestrator.sandbox import stack_changes, stacks, template
from orchestrator.sandbox.change_sets import ChangeSet
from orchestrator.sandbox.resources import Actor
from orchestrator.sandbox.stacks import Stack
from orchestrator.sandbox.state import PARTITION, Caller, SandboxState, role
from orchestrator.sandbox.template_parameters import values_of
from orchestrator.sandbox.template_parser import TemplateError, parse_template
from orchestrator.sandbox.wire import Call, ServiceError

_NAME = r"[a-zA-Z][-a-zA-Z0-9]*"
_NAME_OR_ID = rf"{_NAME}|arn:[-a-zA-Z0-9:/._+]*"
_NAME_LENGTH = 128
_SETTINGS = (
    *("NotificationARNs", "RollbackConfiguration", "RetainExceptOnCreate"),
    *("RoleARN", "TimeoutInMinutes", "OnFailure", "EnableTerminationProtection", "Capabilities"),
    *("Description", "IncludeNestedStacks", "OnStackFailure", "ImportExistingResources"),
)
_POLICY_ACTIONS = {
    "Update:*",
    *(f"Update:{what}" for what in ("Modify", "Replace", "Delete")),
}
# How operations say that there is no such stack; the others as UpdateStack.
_ABSENT = {
    "DescribeStackResource": "Stack '{}' does not exist",
    **dict.fromkeys(
        (
            *("DescribeStacks", "DescribeStackResources", "ListStackResources", "GetTemplate"),
            "GetTemplateSummary",
        ),
        "Stack with id {} does not exist",
    ),
}


def check_name(name: str, *, or_id: bool = False) -> None:
    """Check the name, or the id, of a stack.

    Raises:
        ServiceError: it has another form.
    """
    problems = []
    form = _NAME_OR_ID if or_id else _NAME
    if not re.fullmatch(form, name):
        problems.append(f"Member must satisfy regular expression pattern: {form}")
    if len(name) > _NAME_LENGTH and not name.startswith("arn:"):
        problems.append(f"Member must have length less than or equal to {_NAME_LENGTH}")
    if problems:
        errors = "error" if len(problems) == 1 else "errors"
        said = f"Value '{name}' at 'stackName' failed to satisfy constraint: "
        each = "; ".join(said + problem for problem in problems)
        raise invalid(f"{len(problems)} validation {errors} detected: {each}")


def check_stack(
    actor: Actor,
    name: str,
    body: str,
    parameters: dict[str, str],
    arguments: Mapping[str, Any],
) -> None:
    """Check a template with its parameters, and what else a stack is given.

    Raises:
        ServiceError: CloudFormation would refuse it.
    """
    try:
        stack_changes.check(actor, name, body, parameters)
    except TemplateError as error:
        raise invalid(str(error)) from None
    check_tags(arguments.get("Tags") or [])
    allowed = arguments.get("ResourceTypes")
    for resource in parse_template(body)["Resources"].values():
        if allowed and not any(fnmatchcase(resource["Type"], pattern) for pattern in allowed):
            raise invalid(
                f"Resource type {resource['Type']} is not allowed by parameter ResourceTypes"
                f" [{', '.join(allowed)}]"
            )
    for trigger in arguments.get("RollbackConfiguration", {}).get("RollbackTriggers", []):
        if trigger["Type"] not in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
            raise invalid("Rollback Trigger Type not supported")
        if not re.fullmatch(r"arn:[^:]+:cloudwatch:[^:]+:[^:]+:alarm:.+", trigger["Arn"]):
            raise invalid("RelativeId of a Rollback Trigger's ARN is incorrect")
    for policy in ("StackPolicyBody", "StackPolicyDuringUpdateBody"):
        if policy in arguments:
            check_stack_policy(arguments[policy])


def check_tags(tags: list[dict[str, str]]) -> None:
    """Check the tags that a stack or a StackSet is given.

    Raises:
        ServiceError: ValidationError.
    """
    if any(tag.get("Key", "").lower().startswith("aws:") for tag in tags):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")


def check_stack_policy(text: str) -> None:
    """Check the format of a stack policy.

    Raises:
        ServiceError: ValidationError.
    """
    try:
        policy = json.loads(text)
    except json.JSONDecodeError:
        policy = None
    statements = policy.get("Statement", []) if isinstance(policy, dict) else None
    given = [statements] if isinstance(statements, dict) else statements
    if not isinstance(given, list) or not all(map(_is_policy_statement, given)):
        raise invalid("Error validating stack policy: Invalid stack policy")


def _is_policy_statement(statement: Any) -> bool:
    actions = statement.get("Action", statement.get("NotAction", ""))
    return (
        statement.get("Effect") in ("Allow", "Deny")
        and statement.get("Principal") == "*"
        and set(actions if isinstance(actions, list) else [actions]) <= _POLICY_ACTIONS
        and bool({"Resource", "NotResource"} & statement.keys())
    )


def check_capabilities(body: str, acknowledged: Iterable[str]) -> None:
    """Check that a caller acknowledges the capabilities that a template requires.

    Raises:
        ServiceError: InsufficientCapabilitiesException.
    """
    parsed, given = parse_template(body), set(acknowledged)
    needed = template.capabilities(parsed)
    if needed and not {needed, "CAPABILITY_NAMED_IAM"} & given:  # the latter includes the other
        raise _insufficient(needed)
    if "Transform" in parsed and "CAPABILITY_AUTO_EXPAND" not in given:
        raise _insufficient("CAPABILITY_AUTO_EXPAND")


def _insufficient(needed: str) -> ServiceError:
    return ServiceError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def settings_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Get the parameters of a call that a stack keeps as they are."""
    return {name: arguments[name] for name in _SETTINGS if name in arguments}


def previous_values(stack: Stack) -> dict[str, str]:
    """Get the values of a stack's parameters; a default is a previous value, too."""
    return values_of(parse_template(stack.template), stack.parameters)


def given_parameters(arguments: Mapping[str, Any], previous: Mapping[str, str]) -> dict[str, str]:
    """Get the parameters' values that a call gives, or leaves as they are.

    Raises:
        ServiceError: there is no previous value.
    """
    given = {}
    for entry in arguments.get("Parameters", []):
        key = entry.get("ParameterKey", "")
        if entry.get("UsePreviousValue") and entry.get("ParameterValue"):
            raise invalid(
                f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true"
                " and non empty value for a parameter"
            )
        if entry.get("UsePreviousValue") and key not in previous:
            raise invalid(
                f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true"
                " for a parameter key not in the previous template"
            )
        given[key] = (
            previous[key] if entry.get("UsePreviousValue") else entry.get("ParameterValue", "")
        )
    return given


def actor_of(state: SandboxState, call: Call) -> Actor:
    """Get who changes a stack: the caller, or the role that the caller passes.

    Raises:
        ServiceError: CloudFormation cannot assume the role.
    """
    arn, account_id = call.parameters.get("RoleARN"), call.caller.account_id
    if not arn:
        return Actor(state, account_id, call.region, call.caller)
    held = role(account_id, arn.rpartition("/")[2])
    us = {"cloudformation.amazonaws.com"}
    if held is None or held.arn != arn or not role_trusts(held, "Service", us):
        raise invalid(f"Role {arn} is invalid or cannot be assumed")
    session = f"arn:{PARTITION}:sts::{account_id}:assumed-role/{held.name}/AWSCloudFormation"
    caller = Caller(account_id, session, "role", held.name, held.path)
    return Actor(state, account_id, call.region, caller)


def role_trusts(held: Any, kind: str, names: set[str]) -> bool:
    """Whether a role's trust policy names one of some principals: ``Service`` or ``AWS``."""
    statements = json.loads(held.assume_role_policy_document).get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal", {})
        found = principal.get(kind, []) if isinstance(principal, dict) else principal
        listed = {found} if isinstance(found, str) else set(found)
        if statement.get("Effect") == "Allow" and names & listed:
            return True
    return False


def stack_of(state: SandboxState, call: Call) -> Stack:
    """Get the stack that a call names by name or id.

    Raises:
        ServiceError: there is no such stack.
    """
    name = call.parameters.get("StackName")
    if name is None:
        raise invalid("StackName is required if ChangeSetName is not specified.")
    stack = stacks.find(state, call.caller.account_id, call.region, name)
    if stack is None:
        form = _ABSENT.get(call.operation, "Stack [{}] does not exist")
        raise invalid(form.format(name))
    return stack


def change_set_of(state: SandboxState, call: Call) -> tuple[Stack, ChangeSet]:
    """Find the change set that a call names by its id, or by its name and its stack.

    Raises:
        ServiceError: there is no such change set or stack.
    """
    name = call.parameters["ChangeSetName"]
    own = stacks.of(state, call.caller.account_id, call.region)
    if not name.startswith("arn:"):
        if "StackName" not in call.parameters:
            raise invalid("StackName is a required parameter.")
        own = [stack_of(state, call)]
    for stack in reversed(own):
        for found in reversed(stack.change_sets):
            if name in (found.id, found.name):
                return stack, found
    raise ServiceError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


def invalid(message: str) -> ServiceError:
    """Make the error code by which CloudFormation refuses most calls."""
    return ServiceError("ValidationError", message)
