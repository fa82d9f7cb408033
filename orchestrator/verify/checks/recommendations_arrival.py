"""recommendations.arrival: Cost Optimization Hub has had the time that AWS takes to recommend.

Source: Cost Optimization Hub User Guide: the first recommendations take up to 24 hours after an
enrolment; Octo's own page about its setup says 1 to 3 days.
"""

from __future__ import annotations

from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.recommendations import hub_enrolled_at, hub_has_recommendations
from orchestrator.verify.model import Check, Context, Finding, passed, pending, skipped

_DAYS = 3
_PERMISSIONS = (
    "cost-optimization-hub:ListEnrollmentStatuses",
    "cost-optimization-hub:ListRecommendations",
)


def _run(context: Context) -> Finding:
    try:
        since = hub_enrolled_at(context.aws)
        listed = since is not None and hub_has_recommendations(context.aws)
    except ServiceError as error:
        if not is_denied(error):
            raise
        return skipped(
            f"Not checked: the caller may not use {error.operation_name}.",
            f"Grant the caller {' and '.join(_PERMISSIONS)} to have the arrival checked.",
        )
    if since is None:
        return skipped(
            "The account is not enrolled in Cost Optimization Hub.",
            "See recommendations.enrolment.",
        )
    hours = max(0.0, (context.now() - since.timestamp()) / 3600)
    evidence = {"enrolled_at": since.isoformat(timespec="seconds"), "listed": listed}
    if listed:
        return passed("Cost Optimization Hub lists recommendations.", **evidence)
    if hours < _DAYS * 24:
        return pending(
            f"Enrolled in Cost Optimization Hub for {hours:.0f} h; it lists no recommendation yet.",
            f"The first ones take 1 to {_DAYS} days: run octo-tf verify later.",
            **evidence,
        )
    return passed("Cost Optimization Hub has nothing to recommend.", **evidence)


CHECK = Check(
    id="recommendations.arrival",
    promise="Cost Optimization Hub lists recommendations, or has had the days that AWS takes.",
    permissions=_PERMISSIONS,
    run=_run,
    # The service is in AWS's commercial regions only.
    only_if=lambda context: context.expected.partition == "aws",
    awaited=False,
)
