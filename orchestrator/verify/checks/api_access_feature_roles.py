"""api_access.feature_roles: the further roles of the chosen features are as the module has them."""

from orchestrator.verify.model import Check, Context, Finding, passed
from orchestrator.verify.roles import READ_PERMISSIONS, judge


def _run(context: Context) -> Finding:
    expected = context.expected.api_access.feature_roles
    names = [role.role_name for role in expected]
    right = passed(
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} as the module defines.",
        roles=names,
    )
    findings = (
        judge(context, role, right, wrong=" differs from the module", trust=role.trust)
        for role in expected
    )
    return next((finding for finding in findings if finding is not right), right)


CHECK = Check(
    id="api_access.feature_roles",
    promise="The further roles of the chosen features have the module's trust, policies and"
    " boundary, and nothing extra.",
    permissions=READ_PERMISSIONS,
    run=_run,
    only_if=lambda context: bool(context.expected.api_access.feature_roles),
)
