"""Enrol an account in the services that recommendations come from, read and end its enrolment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestrator.aws import iam
from orchestrator.aws.errors import ServiceError, code_of
from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws
from orchestrator.errors import AwsError
from orchestrator.model.enrolment import SERVICES, Enrolment, ServiceName

if TYPE_CHECKING:
    from mypy_boto3_cost_optimization_hub.literals import EnrollmentStatusType

REGION = "us-east-1"  # the only one of Cost Optimization Hub; each is asked once for all regions
_ACTIVE = {"Active", "Pending"}
_DELETION_SECONDS = 60.0


@fact
def read(aws: Aws, service: ServiceName, *, members: bool = False) -> Enrolment:
    """Read an account's enrolment, and with ``members`` those of a payer's members."""
    has_role = iam.get_role(aws, SERVICES[service].role) is not None
    if service == "trusted_advisor":
        return Enrolment(has_role, has_role)
    if service == "cost_optimization_hub":
        return _read_hub(aws, has_role, members=members)
    return _read_optimizer(aws, has_role, members=members)


def _read_hub(aws: Aws, has_role: bool, *, members: bool) -> Enrolment:
    client = aws.client("cost-optimization-hub", REGION)
    found = client.list_enrollment_statuses()
    own = found.get("items", [])
    active = any(item.get("status") in _ACTIVE for item in own)
    if not members:
        return Enrolment(active, has_role)
    ids = {item.get("accountId") for item in own}
    pages = client.get_paginator("list_enrollment_statuses").paginate(includeOrganizationInfo=True)
    enrolled = {
        item["accountId"]
        for page in pages
        for item in page.get("items", [])
        if item.get("status") in _ACTIVE and item["accountId"] not in ids
    }
    return Enrolment(
        active, has_role, frozenset(enrolled), active and bool(found.get("includeMemberAccounts"))
    )


def _read_optimizer(aws: Aws, has_role: bool, *, members: bool) -> Enrolment:
    client = aws.client("compute-optimizer", REGION)
    found = client.get_enrollment_status()
    active = found.get("status") in _ACTIVE
    if not members:
        return Enrolment(active, has_role)
    pages = client.get_paginator("get_enrollment_statuses_for_organization").paginate()
    enrolled = {
        item["accountId"]
        for page in pages
        for item in page.get("accountEnrollmentStatuses", [])
        if item.get("status") in _ACTIVE
    }
    return Enrolment(
        active, has_role, frozenset(enrolled), active and bool(found.get("memberAccountsEnrolled"))
    )


def begin(aws: Aws, service: ServiceName, *, members: bool) -> None:
    """Enrol the account, with ``members`` a payer and its members; AWS creates the role.

    Raises:
        AwsError: AWS says that the enrolment failed.
    """
    if service == "trusted_advisor":
        try:
            aws.client("iam").create_service_linked_role(AWSServiceName=SERVICES[service].principal)
        except ServiceError as error:
            if code_of(error) != "InvalidInput":  # it exists by now
                raise
        return
    _update(aws, service, "Active", members=members)


def end(aws: Aws, service: ServiceName, *, members: bool) -> None:
    """End the enrolment of the account, with ``members`` of a payer and its members.

    Raises:
        AwsError: AWS says that it failed.
    """
    if SERVICES[service].has_enrolment:
        _update(aws, service, "Inactive", members=members)


def delete_role(aws: Aws, service: ServiceName, *, sleep: Callable[[float], None]) -> None:
    """Delete the service-linked role, and wait until AWS did; no error if it is gone.

    Raises:
        AwsError: the service still uses the role.
    """
    client, name = aws.client("iam"), SERVICES[service].role
    if iam.get_role(aws, name) is None:
        return
    task = client.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    deadline = time.monotonic() + _DELETION_SECONDS
    while True:
        found = client.get_service_linked_role_deletion_status(DeletionTaskId=task)
        if found["Status"] == "SUCCEEDED":
            return
        if found["Status"] == "FAILED" or time.monotonic() > deadline:
            reason = found.get("Reason", {}).get("Reason") or "AWS has not deleted it yet"
            raise AwsError(f"role {name} was not deleted: {reason}", where=f"role {name}")
        sleep(1.0)


def _update(aws: Aws, service: ServiceName, status: EnrollmentStatusType, *, members: bool) -> None:
    if service == "cost_optimization_hub":
        hub = aws.client("cost-optimization-hub", REGION)
        hub.update_enrollment_status(status=status, includeMemberAccounts=members)
        return
    optimizer = aws.client("compute-optimizer", REGION)
    if status == "Inactive":  # refused with includeMemberAccounts, says its user guide
        answer = optimizer.update_enrollment_status(status=status)
    else:
        answer = optimizer.update_enrollment_status(status=status, includeMemberAccounts=members)
    if answer.get("status") == "Failed":
        reason = answer.get("statusReason") or "it gives no reason"
        raise AwsError(f"Compute Optimizer answers that it failed: {reason}")
