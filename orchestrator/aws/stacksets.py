"""The StackSet as CloudFormation has it: settings, instances, operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.errors import code_of
from orchestrator.aws.session import Aws
from orchestrator.model.stackset import Deployed, Instance, Operation


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


def newest(aws: Aws, name: str) -> tuple[str, dict[str, tuple[str, str]]] | None:
    """Read the newest operation: its action, and each account's status and reason.

    None where there is no StackSet or operation yet, or AWS cannot tell now.
    """
    try:
        for operation in operations(aws, name)[:1]:
            return operation.action, results(aws, name, operation.id)
    except (BotoCoreError, ClientError):
        return None  # not made yet, or busy: progress can wait
    return None


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
