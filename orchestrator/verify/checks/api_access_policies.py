"""api_access.policies: what the module gives, and nothing extra."""

from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.roles import APPLY, get_role, missing, policy_mistakes


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    role = get_role(context, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    mistakes = policy_mistakes(role, expected, context.aws)
    if mistakes:
        return Finding(
            Status.FAIL,
            f"{expected.role_name}'s policies are not right: {'; '.join(mistakes)}.",
            {"role": expected.role_name, "mistakes": mistakes},
            APPLY,
        )
    return Finding(
        Status.PASS,
        f"{expected.role_name} has exactly the tiers {', '.join(expected.permission_tiers)}.",
        {"inline_policies": sorted(expected.inline_policies)},
    )


CHECK = Check(
    id="api_access.policies",
    area=Area.API_ACCESS,
    promise="The role has the chosen tiers' policies as the module has them, and nothing extra.",
    permissions=(
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
    ),
    applies=lambda _context: True,
    run=_run,
)
