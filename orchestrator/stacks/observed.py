"""Observe a stack that the user was to deploy.

Source: CloudFormation API Reference, DescribeStackResources, ListStacks, DescribeStacks,
DescribeStackEvents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from orchestrator.aws import cloudformation, iam, s3
from orchestrator.aws.session import Aws
from orchestrator.stacks.steps import ExpectedStack
from orchestrator.stacks.templates import DESCRIPTIONS

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

State = Literal["absent", "running", "failed", "complete"]
_COMPLETE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
_GONE = "DELETE_COMPLETE"
_CANCELLED = "Resource creation cancelled"  # a consequence, not a reason


@dataclass(frozen=True)
class ObservedStack:
    """A stack as CloudFormation has it.

    Attributes:
        state: ``absent``, in progress (``running``), ``failed``, or ``complete``.
        name: its name, which the user may have chosen.
        status: CloudFormation's status, like ROLLBACK_COMPLETE.
        reasons: why resources failed, in AWS's words.
        edited: the names of parameters that have other values than the link.
        stack_id: its ARN; empty where it is absent.
        resource_exists: whether its main resource exists although the stack does not own it.
    """

    state: State
    name: str
    status: str = ""
    reasons: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    stack_id: str = ""
    resource_exists: bool = False


def describe_stack(aws: Aws, wanted: ExpectedStack) -> ObservedStack:
    """Describe the stack, found by its main resource, its name, or its template's description.

    Raises:
        ServiceError: an AWS call failed.
    """
    client = aws.client("cloudformation", wanted.region)
    resource = _main_resource(aws, wanted)
    owners = cloudformation.owning_stacks(aws, [resource] if resource else [], [wanted.region])
    owner = next(iter(owners.stacks.values()), None)
    name = owner.name if owner else _latest(client, wanted)
    if name is None:
        return ObservedStack("absent", wanted.name, resource_exists=resource is not None)
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    status = stack["StackStatus"]
    own_name, stack_id = str(stack["StackName"]), str(stack["StackId"])
    if status.endswith("_IN_PROGRESS"):
        return ObservedStack("running", own_name, status, stack_id=stack_id)
    if status not in _COMPLETE:
        reasons = tuple(_reasons(client, stack["StackId"]))
        exists = resource is not None
        return ObservedStack(
            "failed", own_name, status, reasons, stack_id=stack_id, resource_exists=exists
        )
    edited = _edited(stack, wanted)
    return ObservedStack("complete", own_name, status, edited=edited, stack_id=stack_id)


def _main_resource(aws: Aws, wanted: ExpectedStack) -> str | None:
    """Return the physical id of the stack's main resource; None if there is none."""
    if wanted.step == "stackset":
        settings = cloudformation.describe_stack_set(aws, wanted.main_resource)
        return settings.stack_set_id if settings else None
    if wanted.template == "cur-bucket":
        exists = s3.bucket_exists_in(aws, wanted.main_resource, wanted.region)
    else:
        exists = iam.get_role(aws, wanted.main_resource) is not None
    return wanted.main_resource if exists else None


def _latest(client: CloudFormationClient, wanted: ExpectedStack) -> str | None:
    """Find the newest stack that has the name, or the template, and is not deleted."""
    marker = f"{DESCRIPTIONS[wanted.template]} ("
    for page in client.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            is_from_template = stack.get("TemplateDescription", "").startswith(marker)
            is_it = is_from_template or stack["StackName"] == wanted.name
            if is_it and stack["StackStatus"] != _GONE:
                return str(stack["StackId"])
    return None


def _reasons(client: CloudFormationClient, stack_id: str) -> Iterator[str]:
    """Yield why resources failed, first failures first: later ones follow from them."""
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack_id)
    events = [event for page in pages for event in page["StackEvents"]]
    seen = set()
    for event in reversed(events):
        reason = event.get("ResourceStatusReason", "")
        failed = event["ResourceStatus"].endswith("_FAILED")
        own = event["LogicalResourceId"] == event["StackName"]
        if failed and reason and not own and reason != _CANCELLED and reason not in seen:
            seen.add(reason)
            yield reason


def _edited(stack: StackTypeDef, wanted: ExpectedStack) -> tuple[str, ...]:
    """Name the parameters that differ; the user may choose TargetOrganizationId."""
    actual = cloudformation.parameters(stack.get("Parameters", []))
    return tuple(
        name
        for name, value in wanted.parameters.items()
        if name != "TargetOrganizationId" and name in actual and actual[name] != value
    )
