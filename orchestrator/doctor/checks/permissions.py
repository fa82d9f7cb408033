"""permissions: what the chosen options need, simulated by IAM."""

import re

from botocore.exceptions import ClientError

from orchestrator.account import identify
from orchestrator.aws.errors import is_denied
from orchestrator.aws.simulation import not_allowed
from orchestrator.doctor.model import UNREADABLE, Check, Line, Patient, Status
from orchestrator.doctor.permissions import needed

# An assumed role's session; IAM simulates its role. The role's path is not in it.
_SESSION = re.compile(r"arn:[\w-]+:sts::\d{12}:assumed-role/([^/]+)/.+")


def _run(patient: Patient) -> Line:
    if patient.run is None:
        return UNREADABLE
    registration, aws = patient.run.registration, patient.run.aws
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
        if session := _SESSION.fullmatch(arn):
            arn = aws.client("iam").get_role(RoleName=session[1])["Role"]["Arn"]
        refused = [result["EvalActionName"] for result in not_allowed(aws, arn, actions)]
    except ClientError as error:
        if not is_denied(error):
            raise
        return Line(
            Status.WARNING,
            f"Not simulated: {arn} may not use iam:{error.operation_name}.",
            "Grant the caller iam:GetRole and iam:SimulatePrincipalPolicy, or see that it has: "
            + ", ".join(actions),
        )
    if refused:
        return Line(
            Status.PROBLEM,
            f"{len(refused)} of {len(actions)} permissions are missing on all resources.",
            f"Grant {arn}: {', '.join(sorted(refused))} (a policy limited to some resources may"
            " hold them unseen).",
        )
    return Line(Status.OK, f"All {len(actions)} permissions are granted.")


CHECK = Check("permissions", _run)
