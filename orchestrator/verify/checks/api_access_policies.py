"""api_access.policies: the role has the module's policies, and no others."""

from orchestrator.aws.iam import get_role_with_policies
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.roles import READ_PERMISSIONS, RESTORE, missing, mistakes


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    role = get_role_with_policies(context.aws, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    _, found = mistakes(context, expected, role)
    if found:
        return failed(
            f"{expected.role_name}'s policies differ from the module: {'; '.join(found)}.",
            RESTORE,
            role=expected.role_name,
            mistakes=found,
        )
    return passed(
        f"{expected.role_name} has exactly the tiers {', '.join(expected.permission_tiers)}.",
        inline_policies=sorted(expected.inline_policies),
    )


CHECK = Check(
    id="api_access.policies",
    promise="The role has the chosen tiers' policies as the module has them, and nothing extra.",
    permissions=READ_PERMISSIONS,
    run=_run,
)
