"""stackset.trusted_access: CloudFormation may deploy into the organization."""

from orchestrator.aws.cloudformation import trusted_access
from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.stackset import applies


def _run(context: Context) -> Finding:
    status = trusted_access(context.aws)
    if status == "ENABLED":
        return Finding(
            Status.PASS, "CloudFormation may deploy into the organization.", {"status": status}
        )
    return Finding(
        Status.FAIL,
        f"CloudFormation's trusted access to the organization is {status.lower()}.",
        {"status": status},
        "Run octo-tf apply --enable-trusted-access.",
    )


CHECK = Check(
    id="stackset.trusted_access",
    area=Area.STACKSET,
    promise="CloudFormation's trusted access to the organization is on.",
    permissions=("cloudformation:DescribeOrganizationsAccess",),
    applies=applies,
    run=_run,
)
