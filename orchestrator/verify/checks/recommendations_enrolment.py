"""recommendations.enrolment: the account is enrolled where recommendations come from.

A warning at most: the account's owner decides, and Octo reads everything else without it.
"""

from orchestrator.aws import enrolment
from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.model.enrolment import SERVICES
from orchestrator.model.module_contract import features
from orchestrator.verify.model import Check, Context, Finding, passed, skipped, warned
from orchestrator.verify.remedy import ByWay

_DAYS = "Recommendations take 1 to 3 days."
_PERMISSIONS = ("compute-optimizer:GetEnrollmentStatus", SERVICES["cost_optimization_hub"].reads[0])


def _run(context: Context) -> Finding:
    names = features.enrolments(context.expected.api_access.features)
    missing, labels = [], [SERVICES[name].label for name in names]
    for name in names:
        try:
            if not enrolment.read(context.aws, name).active:
                missing.append(SERVICES[name].label)
        except ServiceError as error:
            if not is_denied(error):
                raise
            permissions = " and ".join(("iam:GetRole", *SERVICES[name].reads[:1]))
            return skipped(
                f"Not checked: the caller may not read the enrolment in {SERVICES[name].label}.",
                f"Grant the caller {permissions} to have the enrolment checked.",
                permission=permissions,
            )
    if not missing:
        return passed(f"The account is enrolled in {', '.join(labels)}.", enrolled=labels)
    return warned(
        f"The account is not enrolled in {', '.join(missing)}, so Octo lists no recommendations of"
        " it from there.",
        ByWay(
            "Run octo-tf apply, which enrols the account after consent, unless octo.yaml has"
            f" enrolment: none. {_DAYS}",
            f"Enrol the account on these services' pages in the AWS console. {_DAYS}",
        ),
        missing=missing,
    )


CHECK = Check(
    id="recommendations.enrolment",
    promise="The account is enrolled in the AWS services that recommendations come from.",
    permissions=_PERMISSIONS,
    run=_run,
    # The services are in AWS's commercial regions only.
    only_if=lambda context: (
        bool(features.enrolments(context.expected.api_access.features))
        and context.expected.partition == "aws"
    ),
)
