"""What CloudFormation says of a stack that a person was to deploy.

Source: CloudFormation API Reference, DescribeStackResources, ListStacks, DescribeStacks,
DescribeStackEvents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from orchestrator.aws import cloudformation, iam, s3
from orchestrator.aws.session import Aws
from orchestrator.stacks.steps import Wanted
from orchestrator.stacks.templates import DESCRIPTIONS

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

State = Literal["absent", "running", "failed", "complete"]
_COMPLETE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
_GONE = "DELETE_COMPLETE"
_CANCELLED = "Resource creation cancelled"  # a consequence, not a reason


@dataclass(frozen=True)
class Sighting:
    """A stack as it is now.

    Attributes:
        state: ``absent``, at work (``running``), ``failed``, or ``complete``.
        name: the stack's own name, which a person may have chosen.
        status: CloudFormation's word, like ROLLBACK_COMPLETE.
        reasons: why resources failed, in AWS's words.
        edited: the parameters whose values are not those that were given, by name.
        made_otherwise: the main resource is there, and no stack of this region has it.
    """

    state: State
    name: str
    status: str = ""
    reasons: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    made_otherwise: bool = False


def look(aws: Aws, wanted: Wanted) -> Sighting:
    """The stack, found by its main resource, else by its name or by its template's description.

    Raises:
        ServiceError: an AWS call failed.
    """
    client = aws.client("cloudformation", wanted.region)
    anchor = _anchor(aws, wanted)
    name = cloudformation.owning_stack(aws, anchor, wanted.region) if anchor else None
    if name is None and (latest := _latest(client, wanted)):
        name = latest
    if name is None:
        return Sighting("absent", wanted.name, made_otherwise=anchor is not None)
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    status = stack["StackStatus"]
    own_name = str(stack["StackName"])
    if status.endswith("_IN_PROGRESS"):
        return Sighting("running", own_name, status)
    if status not in _COMPLETE:
        reasons = tuple(_reasons(client, stack["StackId"]))
        return Sighting("failed", own_name, status, reasons, made_otherwise=anchor is not None)
    return Sighting("complete", own_name, status, edited=_edited(stack, wanted))


def _anchor(aws: Aws, wanted: Wanted) -> str | None:
    """The physical id of the stack's main resource, if there is one."""
    if wanted.step == "stackset":
        settings = cloudformation.describe_stack_set(aws, wanted.anchor)
        return settings.stack_set_id if settings else None
    if wanted.template == "cur-bucket":
        exists = s3.bucket_exists_in(aws, wanted.anchor, wanted.region)
    else:
        exists = iam.get_role(aws, wanted.anchor) is not None
    return wanted.anchor if exists else None


def _latest(client: CloudFormationClient, wanted: Wanted) -> str | None:
    """The newest stack that has the name, or was made from the template, and is not deleted."""
    marker = f"{DESCRIPTIONS[wanted.template]} ("
    for page in client.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            ours = stack.get("TemplateDescription", "").startswith(marker)
            if stack["StackStatus"] != _GONE and (stack["StackName"] == wanted.name or ours):
                return str(stack["StackId"])
    return None


def _reasons(client: CloudFormationClient, stack_id: str) -> Iterator[str]:
    """The first failures come first: later ones follow from them."""
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


def _edited(stack: StackTypeDef, wanted: Wanted) -> tuple[str, ...]:
    """Parameters that differ; TargetOrganizationId may: it is the person's to choose."""
    actual = cloudformation.parameters(stack.get("Parameters", []))
    return tuple(
        name
        for name, value in wanted.parameters.items()
        if name != "TargetOrganizationId" and name in actual and actual[name] != value
    )
