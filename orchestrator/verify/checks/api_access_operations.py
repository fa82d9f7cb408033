"""api_access.operations: the opt-in role that can change something, kept as narrow as made."""

from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.roles import APPLY, get_role, missing, policy_mistakes, trust_mistakes


def _run(context: Context) -> Finding:
    expected = context.expected.api_access.operations
    assert expected is not None  # noqa: S101  (applies has seen to it)
    role = get_role(context, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    mistakes = [
        *trust_mistakes(role, context, trust="external_id"),
        *policy_mistakes(role, expected, context.aws),
    ]
    if mistakes:
        return Finding(
            Status.FAIL,
            f"{expected.role_name} is not right: {'; '.join(mistakes)}.",
            {"role": expected.role_name, "mistakes": mistakes},
            APPLY,
        )
    return Finding(
        Status.PASS,
        f"{expected.role_name} is as narrow as the module makes it.",
        {"permissions_boundary": expected.permissions_boundary},
    )


CHECK = Check(
    id="api_access.operations",
    area=Area.API_ACCESS,
    promise="The operations role has the module's trust, policies and boundary, and nothing extra.",
    permissions=(
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
    ),
    applies=lambda context: context.expected.api_access.operations is not None,
    run=_run,
)
