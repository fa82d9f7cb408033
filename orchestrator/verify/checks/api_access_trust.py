"""api_access.trust: only Octo's account, and only under the external id."""

from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.roles import APPLY, get_role, missing, trust_mistakes


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    role = get_role(context, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    mistakes = trust_mistakes(role, context, trust="external_id")
    if mistakes:
        return Finding(
            Status.FAIL,
            f"{expected.role_name}'s trust is not right: {'; '.join(mistakes)}.",
            {"role": expected.role_name, "mistakes": mistakes},
            APPLY,
        )
    return Finding(
        Status.PASS,
        f"{expected.role_name} trusts account {expected.principal} alone, under the external id.",
        {"principal": expected.principal, "external_id": "matches"},
    )


CHECK = Check(
    id="api_access.trust",
    area=Area.API_ACCESS,
    promise="The role trusts Octo's account alone, under the right external id.",
    permissions=("iam:GetRole",),
    applies=lambda _context: True,
    run=_run,
)
