"""api_access.trust: the role trusts Octo's account alone, and requires the external id."""

from orchestrator.aws.iam import get_role
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.roles import RESTORE, missing, mistakes


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    role = get_role(context.aws, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    found, _ = mistakes(context, expected, role)
    if found:
        return failed(
            f"{expected.role_name}'s trust policy is wrong: {'; '.join(found)}.",
            RESTORE,
            role=expected.role_name,
            mistakes=found,
        )
    return passed(
        f"{expected.role_name} trusts account {expected.principal} alone, with the external id.",
        principal=expected.principal,
        external_id="matches",
    )


CHECK = Check(
    id="api_access.trust",
    promise="The role trusts Octo's account alone, and requires the right external id.",
    permissions=("iam:GetRole",),
    run=_run,
)
