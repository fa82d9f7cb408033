"""permissions: the caller has what the chosen options need, by IAM's simulation."""

from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.identity import identify
from orchestrator.aws.permissions import denied_actions, needed
from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, problem, warning


def _run(context: DoctorContext) -> DoctorResult:
    registration, aws = context.configured()
    account = identify(aws, registration.account_id, declared_type=registration.account_type)
    arn = account.caller_arn
    if arn.endswith(":root"):
        return warning(
            "The caller is the account's root user, who may do everything.",
            "Use a role or an IAM user instead of the root user.",
        )
    actions = needed(registration, account.account_type)
    try:
        missing = denied_actions(aws, arn, actions)
    except ServiceError as error:
        if not is_denied(error):
            raise
        return warning(
            f"Not checked: {arn} may not use iam:{error.operation_name}.",
            "Grant the caller iam:GetRole and iam:SimulatePrincipalPolicy, or make sure it has: "
            + ", ".join(actions),
        )
    if missing:
        return problem(
            f"{len(missing)} of {len(actions)} permissions {'is' if len(missing) == 1 else 'are'}"
            " not granted on all resources.",
            f"Grant {arn}: {', '.join(sorted(missing))} (grants on some resources only are not"
            " seen here).",
        )
    return ok(f"All {len(actions)} permissions are granted.")


CHECK = DoctorCheck("permissions", _run)
