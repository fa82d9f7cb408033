"""api_access.trust: the role trusts Octo's account alone, and requires the external id."""

from orchestrator.aws.iam import get_role
from orchestrator.verify.model import Area, Check, Context, Finding, failed, passed
from orchestrator.verify.roles import APPLY, missing, trust_mistakes


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    role = get_role(context.aws, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    mistakes = trust_mistakes(role, context, trust="external_id")
    if mistakes:
        return failed(
            f"{expected.role_name}'s trust policy is wrong: {'; '.join(mistakes)}.",
            APPLY,
            role=expected.role_name,
            mistakes=mistakes,
        )
    return passed(
        f"{expected.role_name} trusts account {expected.principal} alone, with the external id.",
        principal=expected.principal,
        external_id="matches",
    )


CHECK = Check(
    id="api_access.trust",
    area=Area.API_ACCESS,
    promise="The role trusts Octo's account alone, and requires the right external id.",
    permissions=("iam:GetRole",),
    applies=lambda _context: True,
    run=_run,
)
