"""recommendations.trusted_advisor: the support plan has Trusted Advisor's cost checks.

A warning at most: without them, Octo has the recommendations of all other sources.
"""

from __future__ import annotations

from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.recommendations import has_trusted_advisor_checks
from orchestrator.verify.model import Check, Context, Finding, passed, skipped, warned

_PERMISSION = "support:DescribeTrustedAdvisorChecks"


def _run(context: Context) -> Finding:
    try:
        available = has_trusted_advisor_checks(context.aws)
    except ServiceError as error:
        if not is_denied(error):
            raise
        return skipped(
            f"Not checked: the caller may not use {_PERMISSION}.",
            f"Grant the caller {_PERMISSION} to have the support plan checked.",
            permission=_PERMISSION,
        )
    if available:
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
    permissions=(_PERMISSION,),
    run=_run,
    # The API's endpoint is in AWS's commercial regions only.
    only_if=lambda context: context.expected.partition == "aws",
)
