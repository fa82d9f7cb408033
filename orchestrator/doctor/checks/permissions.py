"""permissions: what the chosen options need, simulated by IAM."""

from botocore.exceptions import ClientError

from orchestrator.aws.errors import is_denied
from orchestrator.aws.identity import identify
from orchestrator.aws.permissions import needed, refused
from orchestrator.doctor.model import UNREADABLE, Check, Line, Patient, Status


def _run(patient: Patient) -> Line:
    if patient.context is None:
        return UNREADABLE
    registration, aws = patient.context.registration, patient.context.cloud.connect()
    account = identify(aws, registration.account_id, declared_type=registration.account_type)
    arn = account.caller_arn
    if arn.endswith(":root"):
        return Line(
            Status.WARNING,
            "The caller is the account's root user, who may do everything.",
            "Use a role or an IAM user instead of the root user.",
        )
    actions = needed(registration, account.account_type)
    try:
        missing = refused(aws, arn, actions)
    except ClientError as error:
        if not is_denied(error):
            raise
        return Line(
            Status.WARNING,
            f"Not simulated: {arn} may not use iam:{error.operation_name}.",
            "Grant the caller iam:GetRole and iam:SimulatePrincipalPolicy, or see that it has: "
            + ", ".join(actions),
        )
    if missing:
        return Line(
            Status.PROBLEM,
            f"{len(missing)} of {len(actions)} permissions are missing on all resources.",
            f"Grant {arn}: {', '.join(sorted(missing))} (a policy limited to some resources may"
            " hold them unseen).",
        )
    return Line(Status.OK, f"All {len(actions)} permissions are granted.")


CHECK = Check("permissions", _run)
