"""stackset.trusted_access: CloudFormation may deploy into the organization."""

from orchestrator.aws.cloudformation import trusted_access
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Finding, failed, passed
from orchestrator.verify.remedy import ByWay


def _judge(_desired: Desired, observed: Observed) -> Finding:
    status = observed.trusted_access
    if status == "ENABLED":
        return passed("CloudFormation may deploy into the organization.", status=status)
    return failed(
        f"CloudFormation's trusted access to the organization is {status.lower()}.",
        ByWay(
            "Run octo-tf apply --enable-trusted-access.",
            "In the console: CloudFormation, StackSets, Enable trusted access.",
        ),
        status=status,
    )


CHECK = Check(
    id="stackset.trusted_access",
    promise="CloudFormation's trusted access to the organization is on.",
    permissions=("cloudformation:DescribeOrganizationsAccess",),
    read=lambda context: Observed(trusted_access=trusted_access(context.aws)),
    judge=_judge,
)
