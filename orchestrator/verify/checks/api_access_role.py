"""api_access.role: the role exists under the ARN by which Octo assumes it."""

from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Finding, failed, passed
from orchestrator.verify.remedy import Restore
from orchestrator.verify.roles import missing, read_api_role


def _judge(desired: Desired, observed: Observed) -> Finding:
    wanted = desired.roles[API_ROLE]
    role = observed.roles[wanted.name]
    if role is None:
        return missing(wanted.name)
    if role.arn != wanted.arn:
        return failed(
            f"The role's ARN is {role.arn}, not {wanted.arn}.",
            Restore(first="Octo assumes a role without a path: delete this one"),
            found=role.arn,
            wanted=wanted.arn,
        )
    return passed(f"{wanted.name} exists.", arn=role.arn)


CHECK = Check(
    id="api_access.role",
    promise="The role that Octo looks for exists.",
    permissions=("iam:GetRole",),
    read=read_api_role,
    judge=_judge,
)
