"""Read whether an account is enrolled in Cost Optimization Hub."""

from __future__ import annotations

from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws

REGION = "us-east-1"  # the only one that its API has


@fact
def is_enrolled(aws: Aws) -> bool:
    """Tell whether the account is enrolled, by itself or by its payer (ListEnrollmentStatuses).

    Raises:
        ServiceError: the enrolment may not be read.
    """
    found = aws.client("cost-optimization-hub", REGION).list_enrollment_statuses()
    return any(item.get("status") == "Active" for item in found.get("items", []))
