"""Read and check the parameters of calls about StackSets.

Source: CloudFormation API Reference, CreateStackSet, CreateStackInstances,
StackSetOperationPreferences; User Guide, "Prerequisites for using StackSets"; real error texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.services.cloudformation_access import owner_of, require_management
from orchestrator.sandbox.stack_arguments import (
    check_capabilities,
    check_tags,
    invalid,
    role_trusts,
)
from orchestrator.sandbox.stacksets import (
    ADMINISTRATION_ROLE,
    SELF_MANAGED,
    SERVICE_MANAGED,
    Instance,
    Operation,
    StackSet,
)
from orchestrator.sandbox.state import PARTITION, SandboxState, role
from orchestrator.sandbox.template_format import checked_template
from orchestrator.sandbox.template_parameters import values_of
from orchestrator.sandbox.template_parser import TemplateError
from orchestrator.sandbox.template_source import body_of
from orchestrator.sandbox.wire import Call, ServiceError

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
_NAME_LENGTH = 128
_SETTINGS = (
    *("Description", "TemplateBody", "Parameters", "Capabilities", "Tags"),
    *("PermissionModel", "AutoDeployment", "ManagedExecution"),
    *("AdministrationRoleARN", "ExecutionRoleName"),
)
_OF_SELF_MANAGED = ("AdministrationRoleARN", "ExecutionRoleName")
_EITHER = (
    ("FailureToleranceCount", "FailureTolerancePercentage"),
    ("MaxConcurrentCount", "MaxConcurrentPercentage"),
)


def check_set_name(name: str) -> None:
    """Check the name of a stack set.

    Raises:
        ServiceError: ValidationError.
    """
    problem = ""
    if not _NAME.fullmatch(name):
        problem = f"satisfy regular expression pattern: {_NAME.pattern}"
    elif len(name) > _NAME_LENGTH:
        problem = f"have length less than or equal to {_NAME_LENGTH}"
    if problem:
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy"
            f" constraint: Member must {problem}"
        )


def settings_of_set(state: SandboxState, call: Call) -> dict[str, Any]:
    """Get the settings that a call gives; a template by its URL is read at once, as AWS does."""
    arguments = call.parameters
    settings = {name: arguments[name] for name in _SETTINGS if name in arguments}
    check_tags(settings.get("Tags") or [])
    if {"TemplateURL", "TemplateBody"} & arguments.keys():
        settings["TemplateBody"] = body_of(state, call)
    return settings


def check_model(state: SandboxState, call: Call, settings: Mapping[str, Any]) -> None:
    """Check what a new stack set's permission model asks for.

    Raises:
        ServiceError: ValidationError.
    """
    owner = owner_of(state, call)
    if settings["PermissionModel"] == SELF_MANAGED:
        if call.parameters.get("CallAs") == "DELEGATED_ADMIN":
            raise invalid("Delegated administrators can only operate SERVICE_MANAGED stack sets")
        if settings.get("AutoDeployment"):
            raise invalid("AutoDeployment is only supported for SERVICE_MANAGED stack sets")
        return
    if owner == call.caller.account_id:
        require_management(call)
    if owner not in state.stackset_access:
        raise invalid("You must enable organizations access to operate a service managed stack set")
    if "AutoDeployment" not in settings:
        raise invalid("You must specify AutoDeployment for a service managed stack set")
    if given := [name for name in _OF_SELF_MANAGED if name in settings]:
        raise invalid(f"{given[0]} is only supported for SELF_MANAGED stack sets")


def check_template(settings: Mapping[str, Any]) -> None:
    """Check the template of a stack set, its capabilities and its automatic deployment.

    Raises:
        ServiceError: there is no template, or CloudFormation would refuse an argument.
    """
    automatic = settings.get("AutoDeployment", {})
    if not automatic.get("Enabled") and "RetainStacksOnAccountRemoval" in automatic:
        raise invalid("RetainStacksOnAccountRemoval is only supported with AutoDeployment enabled")
    template = settings.get("TemplateBody")
    if not template:
        raise invalid("Either Template URL or Template Body must be specified.")
    given = {
        entry["ParameterKey"]: entry.get("ParameterValue", "")
        for entry in settings.get("Parameters") or []
    }
    try:
        values_of(checked_template(template), given)
    except TemplateError as error:
        raise invalid(str(error)) from None
    check_capabilities(template, settings.get("Capabilities", []))


def overrides_of(stack_set: StackSet, call: Call) -> list[dict[str, Any]]:
    """Get the parameter overrides of a call.

    Raises:
        ServiceError: the stack set's template does not have such a parameter.
    """
    overrides: list[dict[str, Any]] = call.parameters.get("ParameterOverrides") or []
    declared = checked_template(stack_set.settings["TemplateBody"]).get("Parameters", {})
    if unknown := sorted({entry["ParameterKey"] for entry in overrides} - declared.keys()):
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    return overrides


def check_preferences(call: Call) -> None:
    """Check that an operation's preferences do not exclude each other.

    Raises:
        ServiceError: ValidationError.
    """
    given = call.parameters.get("OperationPreferences") or {}
    for count, percentage in _EITHER:
        if count in given and percentage in given:
            raise invalid(f"You must specify either {count} or {percentage}, but not both")


def check_idle(stack_set: StackSet) -> None:
    """Refuse a second operation, unless managed execution queues it.

    Raises:
        ServiceError: OperationInProgressException.
    """
    managed = stack_set.settings.get("ManagedExecution", {}).get("Active")
    if stack_set.running is not None and not managed:
        raise in_progress(stack_set)


def in_progress(stack_set: StackSet) -> ServiceError:
    """Make the error for a stack set that has an operation already."""
    running = stack_set.running.id if stack_set.running else ""
    return ServiceError(
        "OperationInProgressException",
        f"Another Operation on StackSet {arn_of(stack_set)} is in progress: {running}",
        409,
    )


def check_administration(stack_set: StackSet) -> None:
    """Check that CloudFormation can assume the administration role of a self-managed stack set.

    Raises:
        ServiceError: ValidationError.
    """
    name = administration_role(stack_set).rpartition("/")[2]
    held = role(stack_set.owner, name)
    if held is None or not role_trusts(held, "Service", {"cloudformation.amazonaws.com"}):
        raise invalid(
            f"Account {stack_set.owner} should have '{name}' role with trust relationship to"
            " CloudFormation service."
        )


def administration_role(stack_set: StackSet) -> str:
    """Get the ARN of the role that a self-managed stack set is administered with."""
    default = f"arn:{PARTITION}:iam::{stack_set.owner}:role/{ADMINISTRATION_ROLE}"
    return str(stack_set.settings.get("AdministrationRoleARN", default))


def arn_of(stack_set: StackSet) -> str:
    """Get a stack set's ARN."""
    prefix = f"arn:{PARTITION}:cloudformation:{stack_set.region}:{stack_set.owner}"
    return f"{prefix}:stackset/{stack_set.id}"


def stack_set_of(state: SandboxState, call: Call) -> StackSet:
    """Get the stack set that a call names by name, id or ARN.

    Raises:
        ServiceError: there is no such stack set.
    """
    name = call.parameters["StackSetName"]
    for stack_set in state.stack_sets_of(owner_of(state, call), call.region).values():
        if name in (stack_set.name, stack_set.id, arn_of(stack_set)):
            by_delegate = call.parameters.get("CallAs") == "DELEGATED_ADMIN"
            if by_delegate and stack_set.model != SERVICE_MANAGED:
                break
            return stack_set
    raise ServiceError("StackSetNotFoundException", f"StackSet {name} not found", 404)


def deleted_sets(state: SandboxState) -> list[StackSet]:
    """Get the deleted stack sets, which can still be listed."""
    return state.of_service("deleted stack sets", list)


def instance_of(stack_set: StackSet, call: Call) -> Instance:
    """Get the stack instance that a call names.

    Raises:
        ServiceError: there is no such instance.
    """
    account_id, region = (
        call.parameters[name] for name in ("StackInstanceAccount", "StackInstanceRegion")
    )
    if (account_id, region) not in stack_set.instances:
        raise ServiceError(
            "StackInstanceNotFoundException",
            f"Stack instance not found for StackSet {stack_set.name}, account {account_id} and"
            f" region {region}",
            404,
        )
    return stack_set.instances[account_id, region]


def operation_of(stack_set: StackSet, call: Call) -> Operation:
    """Get the operation that a call names.

    Raises:
        ServiceError: there is no such operation.
    """
    wanted = call.parameters["OperationId"]
    for operation in stack_set.operations:
        if operation.id == wanted:
            return operation
    raise ServiceError("OperationNotFoundException", f"Operation {wanted} not found", 404)
