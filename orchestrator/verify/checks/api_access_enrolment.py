"""api_access.enrolment: Cost Optimization Hub, which recommendations come from, is switched on.

A warning at most: the account's owner decides about it, and Octo reads all else without it.
"""

from orchestrator.aws.cost_optimization_hub import is_enrolled
from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.verify.model import Check, Context, Finding, passed, skipped, warned

_PERMISSION = "cost-optimization-hub:ListEnrollmentStatuses"


def _run(context: Context) -> Finding:
    try:
        enrolled = is_enrolled(context.aws)
    except ServiceError as error:
        if not is_denied(error):
            raise
        return skipped(
            f"Not checked: the caller may not use {_PERMISSION}.",
            f"Grant the caller {_PERMISSION} to have the enrolment checked.",
            permission=_PERMISSION,
        )
    if enrolled:
        return passed("The account is enrolled in Cost Optimization Hub.")
    command = "aws cost-optimization-hub update-enrollment-status --region us-east-1"
    members = " --include-member-accounts" if context.expected.account_type == "payer" else ""
    return warned(
        "The account is not enrolled in Cost Optimization Hub, so Octo lists no recommendations"
        " of it.",
        f"Enrol with your own credentials: {command} --status Active{members}. Recommendations"
        " take 1 to 3 days.",
        enrolled=False,
    )


CHECK = Check(
    id="api_access.enrolment",
    promise="Cost Optimization Hub is switched on, where recommendations are chosen.",
    permissions=(_PERMISSION,),
    run=_run,
    # The service is in AWS's commercial regions only.
    only_if=lambda context: (
        "recommendations" in context.expected.api_access.features
        and context.expected.partition == "aws"
    ),
)
