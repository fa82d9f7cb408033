"""recommendations.trusted_advisor: the support plan has Trusted Advisor's cost checks.

A warning at most: without them, Octo has the recommendations of all other sources.
"""

from __future__ import annotations

from orchestrator.aws.recommendations import has_trusted_advisor_checks
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Finding, passed, warned


def _judge(_desired: Desired, observed: Observed) -> Finding:
    if observed.has_trusted_advisor:
        return passed("The support plan has Trusted Advisor's checks.", available=True)
    return warned(
        "The account's support plan has no Trusted Advisor checks, so Octo lists none of its"
        " recommendations.",
        "They need AWS Business Support or higher; the recommendations of other sources do not.",
        available=False,
    )


CHECK = Check(
    id="recommendations.trusted_advisor",
    promise="The support plan has the Trusted Advisor checks that recommendations come from.",
    permissions=("support:DescribeTrustedAdvisorChecks",),
    read=lambda context: Observed(has_trusted_advisor=has_trusted_advisor_checks(context.aws)),
    judge=_judge,
    # The API's endpoint is in AWS's commercial regions only.
    only_if=lambda desired: desired.outputs.partition == "aws",
    optional="the support plan",
)
