"""Read and operate CloudFormation: stacks, StackSets and their instances and operations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from botocore.exceptions import ClientError

from orchestrator.aws.errors import CALL_ERRORS, cannot_be_asked, code_of, none_if_missing
from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws
from orchestrator.model.observed import OwningStack, StackOwners
from orchestrator.model.partition import partition_of_arn
from orchestrator.model.stackset import StackInstance, StackSet, StackSetOperation

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import (
        ParameterTypeDef,
        StackSetOperationSummaryTypeDef,
        StackSetOperationTypeDef,
        StackTypeDef,
    )

_REGIONS_AT_ONCE = 16
Operation = Literal["create", "update", "delete"]
# Operations for a handful of accounts, each of which may fail without holding back the others.
_PREFERENCES: Any = {
    "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    "MaxConcurrentPercentage": 100,
    "FailureTolerancePercentage": 100,
    "RegionConcurrencyType": "PARALLEL",
}


@fact
@none_if_missing
def describe_stack_set(aws: Aws, name: str) -> StackSet:
    """Read a StackSet's settings (DescribeStackSet); None if there is none of that name."""
    found = aws.client("cloudformation").describe_stack_set(StackSetName=name)["StackSet"]
    automatic = found.get("AutoDeployment", {})
    return StackSet(
        name,
        found["StackSetId"],
        partition_of_arn(found["StackSetARN"]),
        aws.region,
        found.get("TemplateBody", ""),
        parameters(found.get("Parameters", [])),
        tuple(found.get("OrganizationalUnitIds", [])),
        tuple(found.get("Capabilities", [])),
        service_managed=found.get("PermissionModel") == "SERVICE_MANAGED",
        managed_execution=bool(found.get("ManagedExecution", {}).get("Active")),
        auto_deployment=bool(automatic.get("Enabled")),
        retain_on_removal=bool(automatic.get("RetainStacksOnAccountRemoval")),
    )


@fact
def read_stack_set(aws: Aws, name: str) -> StackSet | None:
    """Read a StackSet and its stack instances; None if there is none of that name."""
    settings = describe_stack_set(aws, name)
    if settings is None:
        return None
    instances = list(_stack_instances(aws, name))
    regions = tuple(sorted({instance.region for instance in instances}))
    return replace(settings, instances={i.account_id: i for i in instances}, regions=regions)


def list_stack_set_names(aws: Aws) -> list[str]:
    """List the names of the caller's active StackSets (ListStackSets)."""
    pages = aws.client("cloudformation").get_paginator("list_stack_sets").paginate(Status="ACTIVE")
    return [found["StackSetName"] for page in pages for found in page["Summaries"]]


def _stack_instances(aws: Aws, name: str) -> Iterator[StackInstance]:
    """Yield a StackSet's stack instances, page by page (ListStackInstances)."""
    paginator = aws.client("cloudformation").get_paginator("list_stack_instances")
    for page in paginator.paginate(StackSetName=name):
        for found in page["Summaries"]:
            yield StackInstance(
                found["Account"],
                found.get("OrganizationalUnitId", ""),
                found["Status"],
                found.get("StackInstanceStatus", {}).get("DetailedStatus", ""),
                found.get("StatusReason", ""),
                found.get("LastOperationId", ""),
                bool(found.get("StackId")),
                found["Region"],
            )


@fact
def list_operations(aws: Aws, name: str) -> list[StackSetOperation]:
    """List a StackSet's latest operations, newest first (ListStackSetOperations, one page)."""
    page = aws.client("cloudformation").list_stack_set_operations(StackSetName=name)
    return [_operation(found) for found in page["Summaries"]]


def newest_operation(aws: Aws, name: str) -> tuple[str, dict[str, tuple[str, str]]] | None:
    """Read the newest operation: its action, and each account's status and reason.

    None if there is no StackSet or operation yet, or if the calls fail: they are for progress only.
    """
    try:
        for operation in list_operations(aws, name)[:1]:
            return operation.action, operation_results(aws, name, operation.id)
    except CALL_ERRORS:
        return None
    return None


def describe_operation(aws: Aws, name: str, operation_id: str) -> StackSetOperation:
    """Read one operation of a StackSet (DescribeStackSetOperation)."""
    found = aws.client("cloudformation").describe_stack_set_operation(
        StackSetName=name, OperationId=operation_id
    )
    return _operation(found["StackSetOperation"])


def _operation(
    found: StackSetOperationTypeDef | StackSetOperationSummaryTypeDef,
) -> StackSetOperation:
    return StackSetOperation(
        found["OperationId"],
        found["Action"],
        found["Status"],
        found.get("StatusDetails", {}).get("FailedStackInstancesCount", 0),
        found.get("StatusReason", ""),
    )


def operation_results(aws: Aws, name: str, operation_id: str) -> dict[str, tuple[str, str]]:
    """Read each account's status and reason in an operation (ListStackSetOperationResults)."""
    pages = (
        aws.client("cloudformation")
        .get_paginator("list_stack_set_operation_results")
        .paginate(StackSetName=name, OperationId=operation_id)
    )
    return {
        found["Account"]: (found["Status"], found.get("StatusReason", ""))
        for page in pages
        for found in page["Summaries"]
    }


def operate(
    aws: Aws,
    name: str,
    operation: Operation,
    accounts: Sequence[str],
    ous: Sequence[str],
    *,
    retain: bool = False,
) -> str:
    """Start to create, update or delete accounts' stack instances; returns the operation's id.

    Args:
        aws: calls as the payer.
        ous: the OUs that the accounts are in.
        retain: of ``delete``: whether the accounts keep their stacks and resources.
    """
    arguments: Any = {
        "StackSetName": name,
        "Regions": [aws.region],
        "DeploymentTargets": {
            "OrganizationalUnitIds": sorted(set(ous)),
            "Accounts": list(accounts),
            "AccountFilterType": "INTERSECTION",
        },
        "OperationPreferences": _PREFERENCES,
    }
    client = aws.client("cloudformation")
    if operation == "delete":
        return client.delete_stack_instances(RetainStacks=retain, **arguments)["OperationId"]
    if operation == "update":
        return client.update_stack_instances(**arguments)["OperationId"]
    return client.create_stack_instances(**arguments)["OperationId"]


@fact
def trusted_access(aws: Aws) -> str:
    """Read CloudFormation's access to the organization: ENABLED, DISABLED, DISABLED_PERMANENTLY.

    Source: DescribeOrganizationsAccess.
    """
    return aws.client("cloudformation").describe_organizations_access()["Status"]


def enable_trusted_access(aws: Aws) -> None:
    """Let CloudFormation deploy into the organization (ActivateOrganizationsAccess)."""
    aws.client("cloudformation").activate_organizations_access()


def describe_stack(aws: Aws, name: str, region: str) -> StackTypeDef | None:
    """Read a stack by name or id (DescribeStacks); None if there is none."""
    try:
        return aws.client("cloudformation", region).describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if code_of(error) == "ValidationError":  # "Stack with id ... does not exist"
            return None
        raise


class StackStatus(NamedTuple):
    """A stack's status, empty if it is gone, and when its last update began; None before one."""

    status: str
    updated: datetime | None


def stack_status(aws: Aws, name: str, region: str) -> StackStatus:
    """Read a stack's status by its name or id (DescribeStacks)."""
    found = describe_stack(aws, name, region)
    if found is None:
        return StackStatus("", None)
    return StackStatus(found["StackStatus"], found.get("LastUpdatedTime"))


def owning_stacks(
    aws: Aws, physical_ids: Collection[str], regions: Collection[str] | None = None
) -> StackOwners:
    """Find the stacks that manage resources (DescribeStackResources).

    Args:
        physical_ids: names of roles, buckets or reports, ids of StackSets.
        regions: where to look; None looks in all regions of the partition, since the stack of a
            role can be in any of them. Those that cannot be asked are returned as skipped: they
            are disabled for the account, denied, or cannot be reached.

    Raises:
        ServiceError: the session's own region, or one that was named, cannot be asked.
    """
    if not physical_ids:
        return StackOwners({}, (), ())
    wanted = sorted({aws.region, *(aws.regions("cloudformation") if regions is None else regions)})

    def ask(region: str) -> dict[str, OwningStack] | None:
        try:
            found = {one: _owning_stack(aws, one, region) for one in sorted(physical_ids)}
        except CALL_ERRORS as error:
            if regions is None and region != aws.region and cannot_be_asked(error):
                return None
            raise
        return {one: stack for one, stack in found.items() if stack is not None}

    with ThreadPoolExecutor(max_workers=_REGIONS_AT_ONCE) as pool:
        answers = dict(zip(wanted, pool.map(ask, wanted), strict=True))
    return StackOwners(
        {one: stack for found in answers.values() for one, stack in (found or {}).items()},
        tuple(region for region, found in answers.items() if found is not None),
        tuple(region for region, found in answers.items() if found is None),
    )


def _owning_stack(aws: Aws, physical_id: str, region: str) -> OwningStack | None:
    try:
        found = aws.client("cloudformation", region).describe_stack_resources(
            PhysicalResourceId=physical_id
        )["StackResources"]
    except ClientError as error:
        if code_of(error) == "ValidationError":  # "Stack for ... does not exist"
            return None
        raise
    return OwningStack(found[0]["StackName"], region) if found else None


def parameters(described: Sequence[ParameterTypeDef]) -> dict[str, str]:
    """Return the parameters' values of a described stack or StackSet by name.

    They may hold an external id. Those of ``NoEcho`` are ``****``.
    """
    return {entry["ParameterKey"]: entry.get("ParameterValue", "") for entry in described}
