"""permissions: the caller has what the chosen options need, by IAM's simulation."""

from orchestrator.aws.errors import ServiceError, is_denied
from orchestrator.aws.permissions import denied, in_words
from orchestrator.doctor.model import DoctorCheck, DoctorContext, DoctorResult, ok, problem, warning
from orchestrator.model.permissions import Scope, Step, permissions
from orchestrator.model.words import counted

_STEPS: tuple[Step, ...] = ("plan", "verify", "apply")
_LEAVING: Step = "destroy"  # a caller that lacks its permissions is warned


def _run(context: DoctorContext) -> DoctorResult:
    registration, aws, account = context.identified()
    arn = account.caller_arn
    if arn.endswith(":root"):
        return warning(
            "The caller is the account's root user, who may do everything.",
            "Use a role or an IAM user instead of the root user.",
        )
    scope = Scope(registration, account.account_type)
    wanted = permissions(scope, _STEPS)
    asked = permissions(scope, (*_STEPS, _LEAVING))
    actions = {action for permission in wanted for action in permission.actions}
    try:
        lacked = denied(aws, arn, asked)
    except ServiceError as error:
        if not is_denied(error):
            raise
        return warning(
            f"Not checked: {arn} may not use iam:{error.operation_name}.",
            "Grant the caller iam:GetRole and iam:SimulatePrincipalPolicy on itself, or compare its"
            " policies with those that octo-tf policy prints.",
        )
    pairs = {(action, on) for p in wanted for action in p.actions for on in p.resources}
    missing = {pair: why for pair, why in lacked.items() if pair in pairs}
    if lacked and not missing:
        more = counted(len(lacked), "more permission is", "more permissions are")
        return warning(
            f"All {len(actions)} permissions to register are granted. {more} not,"
            f" which octo-tf {_LEAVING} needs.",
            f"Before the account leaves Octo, grant {arn}: {in_words(lacked)}. octo-tf policy --for"
            f" {_LEAVING} prints policies with all of them.",
        )
    if not missing:
        return ok(f"All {len(actions)} permissions are granted.")
    lacking = {action for action, _ in missing}
    enough = [
        step
        for step in _STEPS
        if not any(lacking.intersection(p.actions) for p in permissions(scope, (step,)))
    ]
    are = "permission is" if len(lacking) == 1 else "permissions are"
    rest = f" What {' and '.join(enough)} need is granted." if enough else ""
    return problem(
        f"{len(lacking)} of {len(actions)} {are} not granted.{rest}",
        f"Grant {arn}: {in_words(missing)}. octo-tf policy prints policies with all of them.",
    )


CHECK = DoctorCheck("permissions", _run)
