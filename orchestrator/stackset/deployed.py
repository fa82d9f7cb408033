"""The StackSet as CloudFormation has it: settings, instances, operations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of
from orchestrator.aws.session import Aws

_UNFINISHED = {"RUNNING", "QUEUED", "STOPPING"}


@dataclass(frozen=True)
class Instance:
    """A stack instance (CloudFormation API, StackInstanceSummary).

    ``detailed`` is its DetailedStatus: PENDING, RUNNING, SUCCEEDED, FAILED, ...
    """

    account_id: str
    ou: str
    status: str
    detailed: str
    reason: str
    operation_id: str
    has_stack: bool
    region: str

    @property
    def is_current(self) -> bool:
        """Whether its stack is as the set says."""
        return self.status == "CURRENT" and self.detailed in ("SUCCEEDED", "")

    @property
    def is_running(self) -> bool:
        """Whether an operation has yet to end for it."""
        return self.detailed in ("PENDING", "RUNNING")


@dataclass(frozen=True)
class Operation:
    """A StackSet operation (StackSetOperationSummary); ``failed`` counts its failed instances."""

    id: str
    action: str
    status: str
    failed: int
    reason: str

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status in _UNFINISHED


@dataclass(frozen=True)
class Deployed:
    """A stack set with its instances by account, and the regions that these are in.

    octo-tf deploys to one region; where somebody else's set has more, an account's last counts.
    """

    settings: dict[str, Any] = field(repr=False)  # its parameters hold the external id
    instances: dict[str, Instance]
    regions: tuple[str, ...] = ()

    @property
    def targets(self) -> list[str]:
        """The OUs that it was deployed to, as AWS remembers them."""
        return list(self.settings.get("OrganizationalUnitIds", []))


def describe(aws: Aws, name: str) -> dict[str, Any] | None:
    """The stack set's settings (DescribeStackSet); None if there is none of that name."""
    try:
        settings: dict[str, Any] = aws.client("cloudformation").describe_stack_set(
            StackSetName=name
        )["StackSet"]
    except ClientError as error:
        if code_of(error) == "StackSetNotFoundException":
            return None
        raise
    return settings


def read(aws: Aws, name: str) -> Deployed | None:
    """The stack set and its instances (ListStackInstances); None if there is no such set."""
    settings = describe(aws, name)
    if settings is None:
        return None
    found = list(instances(aws, name))
    regions = {instance.region for instance in found}
    return Deployed(settings, {i.account_id: i for i in found}, tuple(sorted(regions)))


def instances(aws: Aws, name: str) -> Iterator[Instance]:
    """The set's instances, as the pages come (ListStackInstances)."""
    for summary in _pages(aws, "list_stack_instances", StackSetName=name):
        yield Instance(
            summary["Account"],
            summary.get("OrganizationalUnitId", ""),
            summary["Status"],
            summary.get("StackInstanceStatus", {}).get("DetailedStatus", ""),
            summary.get("StatusReason", ""),
            summary.get("LastOperationId", ""),
            bool(summary.get("StackId")),
            summary["Region"],
        )


def operations(aws: Aws, name: str) -> list[Operation]:
    """The set's latest operations, the newest first (ListStackSetOperations, one page)."""
    page = aws.client("cloudformation").list_stack_set_operations(StackSetName=name)
    return [
        Operation(
            summary["OperationId"],
            summary["Action"],
            summary["Status"],
            summary.get("StatusDetails", {}).get("FailedStackInstancesCount", 0),
            summary.get("StatusReason", ""),
        )
        for summary in page["Summaries"]
    ]


def results(aws: Aws, name: str, operation_id: str) -> dict[str, tuple[str, str]]:
    """Each account's status and reason in an operation (ListStackSetOperationResults)."""
    found = _pages(
        aws, "list_stack_set_operation_results", StackSetName=name, OperationId=operation_id
    )
    return {r["Account"]: (r["Status"], r.get("StatusReason", "")) for r in found}


def _pages(aws: Aws, operation: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    paginator = aws.client("cloudformation").get_paginator(operation)
    for page in paginator.paginate(**arguments):
        yield from page["Summaries"]
