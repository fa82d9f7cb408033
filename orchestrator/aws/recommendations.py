"""Read what recommendations come from: whether there are any, and what the support plan offers."""

from __future__ import annotations

from datetime import datetime

from orchestrator.aws.errors import ServiceError, code_of
from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws

REGION = "us-east-1"  # the only one that these APIs have


@fact
def hub_enrolled_at(aws: Aws) -> datetime | None:
    """Read since when the account is enrolled in Cost Optimization Hub; None if it is not.

    Source: ListEnrollmentStatuses.
    """
    found = aws.client("cost-optimization-hub", REGION).list_enrollment_statuses()
    enrolled = (item for item in found.get("items", []) if item.get("status") == "Active")
    return next((item["lastUpdatedTimestamp"] for item in enrolled), None)


@fact
def hub_has_recommendations(aws: Aws) -> bool:
    """Tell whether Cost Optimization Hub lists a recommendation (ListRecommendations).

    Raises:
        ServiceError: the account is not enrolled, or may not list them.
    """
    client = aws.client("cost-optimization-hub", REGION)
    return bool(client.list_recommendations(maxResults=1).get("items"))


@fact
def has_trusted_advisor_checks(aws: Aws) -> bool:
    """Tell whether the support plan has Trusted Advisor's checks (DescribeTrustedAdvisorChecks)."""
    try:
        aws.client("support", REGION).describe_trusted_advisor_checks(language="en")
    except ServiceError as error:
        if code_of(error) == "SubscriptionRequiredException":
            return False
        raise
    return True
