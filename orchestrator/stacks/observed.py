"""Observe a stack that the user was to deploy.

Source: CloudFormation API Reference, DescribeStackResources, ListStacks, DescribeStacks,
DescribeStackEvents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from orchestrator.aws import cloudformation, iam, s3
from orchestrator.aws.session import Aws
from orchestrator.model.module_contract import documents
from orchestrator.stacks.steps import ExpectedStack
from orchestrator.stacks.templates import DESCRIPTIONS

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

State = Literal["absent", "running", "failed", "complete"]
_COMPLETE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
UPDATE_FAILED = "UPDATE_FAILED"
ROLLBACK_FAILED = "UPDATE_ROLLBACK_FAILED"
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
        external_ids: the ids that the stack gives its roles; secrets.
        is_ours: whether octo-tf made its template, which can take two external ids.
    """

    state: State
    name: str
    status: str = ""
    reasons: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    stack_id: str = ""
    resource_exists: bool = False
    external_ids: frozenset[str] = field(default=frozenset(), repr=False)
    is_ours: bool = True

    @property
    def has_failed_update(self) -> bool:
        """Whether an update failed: what the stack made before is in use."""
        return self.status in (UPDATE_FAILED, ROLLBACK_FAILED)

    @property
    def region(self) -> str:
        """The stack's region; empty if the stack is absent."""
        return self.stack_id.split(":")[3] if self.stack_id else ""


def describe_stack(aws: Aws, wanted: ExpectedStack) -> ObservedStack:
    """Describe the stack, found by its main resource, its name, or its template's description.

    Roles are global: the stack that created one may be in another region than the link's.
    """
    resource = _main_resource(aws, wanted)
    names = [resource] if resource else []
    owners = cloudformation.owning_stacks(aws, names, [wanted.region])
    if not owners.stacks and wanted.template == "api-access":
        owners = cloudformation.owning_stacks(aws, names)
    owner = next(iter(owners.stacks.values()), None)
    client = aws.client("cloudformation", owner.region if owner else wanted.region)
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
    parameters = cloudformation.parameters(stack.get("Parameters", []))
    return ObservedStack(
        "complete",
        own_name,
        status,
        edited=_edited(parameters, wanted.parameters),
        stack_id=stack_id,
        external_ids=frozenset(_external_ids(parameters)),
        is_ours=any(stack.get("Description", "").startswith(d) for d in DESCRIPTIONS.values()),
    )


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


def _edited(actual: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Name the parameters that differ; the user may choose TargetOrganizationId.

    External ids may be in any order.
    """
    skipped = {"TargetOrganizationId", *documents.external_id_parameters(len(wanted))}
    edited = [n for n in wanted if n not in skipped and actual.get(n, wanted[n]) != wanted[n]]
    ids = _external_ids(actual)
    if ids and ids != _external_ids(wanted):
        edited.insert(0, "ExternalId")
    return tuple(edited)


def _external_ids(parameters: Mapping[str, str]) -> set[str]:
    names = documents.external_id_parameters(len(parameters))
    return {parameters[name] for name in names if name in parameters}
