"""recommendations.enrolment: the account is enrolled where recommendations come from.

A warning at most: the account's owner decides, and Octo reads everything else without it.
"""

from orchestrator.aws import enrolment
from orchestrator.model.desired import Desired
from orchestrator.model.enrolment import SERVICES, ServiceName
from orchestrator.model.module_contract import features
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Context, Finding, passed, warned
from orchestrator.verify.remedy import ByWay

_DAYS = "Recommendations take 1 to 3 days."


def _services(desired: Desired) -> list[ServiceName]:
    return features.enrolments(desired.outputs.api_access.features)


def _read(context: Context) -> Observed:
    names = _services(context.desired)
    return Observed(enrolments={name: enrolment.read(context.aws, name) for name in names})


def _judge(desired: Desired, observed: Observed) -> Finding:
    names = _services(desired)
    labels = [SERVICES[name].label for name in names]
    missing = [SERVICES[name].label for name in names if not observed.enrolments[name].active]
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
    permissions=(
        "compute-optimizer:GetEnrollmentStatus",
        "cost-optimization-hub:ListEnrollmentStatuses",
    ),
    read=_read,
    judge=_judge,
    # The services are in AWS's commercial regions only.
    only_if=lambda desired: bool(_services(desired)) and desired.outputs.partition == "aws",
    optional="the enrolment",
)
