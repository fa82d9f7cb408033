"""stackset.trusted_access: CloudFormation may deploy into the organization."""

from orchestrator.aws.cloudformation import trusted_access
from orchestrator.verify.model import Area, Check, Context, Finding, failed, passed
from orchestrator.verify.stackset import applies


def _run(context: Context) -> Finding:
    status = trusted_access(context.aws)
    if status == "ENABLED":
        return passed("CloudFormation may deploy into the organization.", status=status)
    return failed(
        f"CloudFormation's trusted access to the organization is {status.lower()}.",
        "Run octo-tf apply --enable-trusted-access.",
        status=status,
    )


CHECK = Check(
    id="stackset.trusted_access",
    area=Area.STACKSET,
    promise="CloudFormation's trusted access to the organization is on.",
    permissions=("cloudformation:DescribeOrganizationsAccess",),
    applies=applies,
    run=_run,
)
