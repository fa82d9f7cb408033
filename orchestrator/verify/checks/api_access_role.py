"""api_access.role: Octo finds the role where it looks for it."""

from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.roles import get_role, missing


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    role = get_role(context, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    if role["Arn"] != expected.role_arn:
        return Finding(
            Status.FAIL,
            f"The role is {role['Arn']}, not {expected.role_arn}.",
            {"found": role["Arn"], "wanted": expected.role_arn},
            "Octo looks for the role without a path: delete it, then run octo-tf apply.",
        )
    return Finding(Status.PASS, f"{expected.role_name} exists.", {"arn": role["Arn"]})


CHECK = Check(
    id="api_access.role",
    area=Area.API_ACCESS,
    promise="The role that Octo looks for exists.",
    permissions=("iam:GetRole",),
    applies=lambda _context: True,
    run=_run,
)
