"""api_access.role: the role exists under the ARN by which Octo assumes it."""

from orchestrator.aws.iam import get_role
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.remedy import Restore
from orchestrator.verify.roles import missing


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    role = get_role(context.aws, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    if role.arn != expected.role_arn:
        return failed(
            f"The role's ARN is {role.arn}, not {expected.role_arn}.",
            Restore(first="Octo assumes a role without a path: delete this one"),
            found=role.arn,
            wanted=expected.role_arn,
        )
    return passed(f"{expected.role_name} exists.", arn=role.arn)


CHECK = Check(
    id="api_access.role",
    promise="The role that Octo looks for exists.",
    permissions=("iam:GetRole",),
    run=_run,
)
