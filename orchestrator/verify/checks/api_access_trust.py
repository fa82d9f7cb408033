"""api_access.trust: the role trusts Octo's account alone, and requires the external id."""

from orchestrator.verify.model import Check, Context, Finding, passed
from orchestrator.verify.roles import TRUST_ALONE, judge


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    right = passed(
        f"{expected.role_name} trusts account {expected.principal} alone, with the external id.",
        principal=expected.principal,
        external_id="matches",
    )
    return judge(context, expected, right, wrong="'s trust policy is wrong", parts=TRUST_ALONE)


CHECK = Check(
    id="api_access.trust",
    promise="The role trusts Octo's account alone, and requires the right external id.",
    permissions=("iam:GetRole",),
    run=_run,
)
