"""CloudFormation: change sets.

Source: CloudFormation API Reference, CreateChangeSet, DescribeChangeSet, ExecuteChangeSet,
DeleteChangeSet, ListChangeSets; recorded answers.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox import change_sets, stack_changes, stacks
from orchestrator.sandbox.change_sets import NO_CHANGES, ChangeSet
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.cloudformation_stacks import (
    check_not_failed,
    check_updatable,
    make_obsolete,
)
from orchestrator.sandbox.services.cloudformation_views import page, parameters_of, time_of
from orchestrator.sandbox.stack_arguments import (
    actor_of,
    change_set_of,
    check_capabilities,
    check_name,
    check_stack,
    given_parameters,
    invalid,
    previous_values,
    settings_of,
    stack_of,
)
from orchestrator.sandbox.stacks import Stack
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.template_parser import TemplateError, parse_template
from orchestrator.sandbox.template_source import body_of
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "cloudformation"
# What DescribeChangeSet answers only if it is asked for the properties' values.
_VALUES = ("BeforeContext", "AfterContext")
_PENDING = ("AVAILABLE", "UNAVAILABLE")  # neither executed nor obsolete
_TARGET = ("Attribute", "Name", "RequiresRecreation")


def create(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateChangeSet: one without changes has failed at once."""
    arguments, name = call.parameters, call.parameters["ChangeSetName"]
    kind = arguments.get("ChangeSetType", "UPDATE")
    stack = stacks.find(state, call.caller.account_id, call.region, arguments["StackName"])
    if kind == "CREATE":
        check_name(arguments["StackName"], or_id=True)
        if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(
                f"Stack [{arguments['StackName']}] already exists and cannot be created again with"
                f" the changeSet [{name}]."
            )
    elif stack is None:
        raise invalid(f"Stack [{arguments['StackName']}] does not exist")
    else:
        check_updatable(stack)
    pending = [c for c in stack.change_sets if c.execution in _PENDING] if stack else []
    if any(c.name == name for c in pending):
        raise ServiceError("AlreadyExistsException", f"ChangeSet {name} already exists")
    body = body_of(state, call, stack.template if stack else "")
    actor = actor_of(state, call)
    previous = previous_values(stack) if stack is not None and stack.template else {}
    parameters = given_parameters(arguments, previous)
    check_stack(actor, stack.name if stack else arguments["StackName"], body, parameters, arguments)
    if stack is None:
        stack = Stack(actor, arguments["StackName"], "", {})
        stacks.of(state, call.caller.account_id, call.region).append(stack)
        stack.set_status("REVIEW_IN_PROGRESS", "User Initiated")
    tags = arguments.get("Tags", stack.tags if kind == "UPDATE" else [])
    made = ChangeSet(name, stack.id, kind, body, parameters, tags, settings_of(arguments))
    try:
        stack_changes.check_types_kept(stack, body, parameters)
        made.changes = list(change_sets.changes(stack, body, parameters))
    except TemplateError as error:
        made.fail(str(error))
    if (
        stack.template
        and not made.reason
        and not made.changes
        and "Transform" not in parse_template(body)
        and not stack.would_change(body, parameters, tags)
    ):
        made.fail(NO_CHANGES)
    stack.change_sets.append(made)
    return {"Id": made.id, "StackId": stack.id}


def describe(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeChangeSet, on request with the values of the properties."""
    stack, found = change_set_of(state, call)
    with_values = bool(call.parameters.get("IncludePropertyValues"))
    described = {
        **_summary(stack, found),
        "NotificationARNs": found.settings.get("NotificationARNs", []),
        "RollbackConfiguration": found.settings.get("RollbackConfiguration", {}),
        "Capabilities": found.settings.get("Capabilities", []),
        "Changes": [
            {
                "Type": "Resource",
                "ResourceChange": change if with_values else _without_values(change),
            }
            for change in found.changes
        ],
    }
    parameters = parameters_of(stack.actor, found.template, found.parameters)
    lists = {"Parameters": parameters, "Tags": found.tags}
    settings = ("OnStackFailure", "ImportExistingResources")
    return {
        **described,
        **{name: value for name, value in lists.items() if value},
        **{name: found.settings[name] for name in settings if name in found.settings},
    }


def _without_values(change: dict[str, Any]) -> dict[str, Any]:
    details = [
        {**detail, "Target": {n: v for n, v in detail["Target"].items() if n in _TARGET}}
        for detail in change["Details"]
    ]
    return {**{n: v for n, v in change.items() if n not in _VALUES}, "Details": details}


def _summary(stack: Stack, found: ChangeSet) -> dict[str, Any]:
    summary = {
        "StackId": stack.id,
        "StackName": stack.name,
        "ChangeSetId": found.id,
        "ChangeSetName": found.name,
        "CreationTime": time_of(found.created),
        "ExecutionStatus": found.execution,
        "Status": found.status,
        "IncludeNestedStacks": bool(found.settings.get("IncludeNestedStacks")),
    }
    if found.reason:
        summary["StatusReason"] = found.reason
    if "Description" in found.settings:
        summary["Description"] = found.settings["Description"]
    return summary


def list_all(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListChangeSets: those that were not executed."""
    stack = stack_of(state, call)
    present = [c for c in stack.change_sets if c.execution in _PENDING]
    return page(call, "Summaries", [_summary(stack, found) for found in present])


def execute(state: SandboxState, call: Call) -> dict[str, Any]:
    """ExecuteChangeSet: the stack's other change sets are obsolete then."""
    stack, found = change_set_of(state, call)
    if found.status != "CREATE_COMPLETE":
        raise ServiceError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{found.id}] cannot be executed in its current status of [{found.status}]",
        )
    if found.execution != "AVAILABLE":
        raise ServiceError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{found.id}] cannot be executed in its current execution status of"
            f" [{found.execution}]",
        )
    check_not_failed(stack, call)
    check_capabilities(found.template, found.settings.get("Capabilities", []))
    stack.actor = actor_of(state, call)
    failure = call.parameters.get("DisableRollback")
    stack.rollback_on_failure = not failure
    stack.settings = {**stack.settings, **found.settings, "DisableRollback": bool(failure)}
    stack.capabilities = found.settings.get("Capabilities", stack.capabilities)
    stack.change_set_id, found.execution = found.id, "EXECUTE_COMPLETE"
    make_obsolete(stack, but=found)
    stack.policy_of_update = stack.policy
    if stack.template:
        change = stack_changes.update(
            stack, found.template, found.parameters, found.tags, paced=True
        )
    else:
        stack.template, stack.parameters, stack.tags = found.template, found.parameters, found.tags
        change = stack_changes.create(stack, paced=True)
    stack_changes.start(stack, change, call)
    stack.changed = stack.changed or found.created
    return {}


def delete(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeleteChangeSet: deleting one that does not exist succeeds."""
    name = call.parameters["ChangeSetName"]
    if not name.startswith("arn:") and "StackName" not in call.parameters:
        raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
    own = stacks.of(state, call.caller.account_id, call.region)
    for stack in own if name.startswith("arn:") else [stack_of(state, call)]:
        stack.change_sets = [c for c in stack.change_sets if name not in (c.id, c.name)]
    return {}


def describe_hooks(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeChangeSetHooks: an account has none."""
    stack, found = change_set_of(state, call)
    return {
        "ChangeSetId": found.id,
        "ChangeSetName": found.name,
        "Hooks": [],
        "Status": "PLANNED",
        "StackId": stack.id,
        "StackName": stack.name,
    }


OPERATIONS: dict[str, Operation] = {
    "CreateChangeSet": create,
    "DeleteChangeSet": delete,
    "DescribeChangeSet": describe,
    "DescribeChangeSetHooks": describe_hooks,
    "ExecuteChangeSet": execute,
    "ListChangeSets": list_all,
}
