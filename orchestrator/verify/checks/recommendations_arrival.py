"""recommendations.arrival: Cost Optimization Hub has had the time that AWS takes to recommend.

Source: Cost Optimization Hub User Guide: the first recommendations take up to 24 hours after an
enrolment; Octo's own page about its setup says 1 to 3 days.
"""

from __future__ import annotations

from orchestrator.aws.recommendations import hub_enrolled_at, hub_has_recommendations
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Context, Finding, passed, pending, skipped

_DAYS = 3


def _read(context: Context) -> Observed:
    since = hub_enrolled_at(context.aws)
    listed = since is not None and hub_has_recommendations(context.aws)
    return Observed(at=context.now(), hub_since=since, hub_lists=listed)


def _judge(_desired: Desired, observed: Observed) -> Finding:
    since, listed = observed.hub_since, observed.hub_lists
    if since is None:
        return skipped(
            "The account is not enrolled in Cost Optimization Hub.",
            "See recommendations.enrolment.",
        )
    hours = max(0.0, (observed.at - since.timestamp()) / 3600)
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
    permissions=(
        "cost-optimization-hub:ListEnrollmentStatuses",
        "cost-optimization-hub:ListRecommendations",
    ),
    read=_read,
    judge=_judge,
    # The service is in AWS's commercial regions only.
    only_if=lambda desired: desired.outputs.partition == "aws",
    awaited=False,
    optional="the arrival",
)
