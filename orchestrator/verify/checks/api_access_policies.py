"""api_access.policies: the role has the module's policies, and no others."""

from orchestrator.verify.model import Check, Context, Finding, passed
from orchestrator.verify.roles import POLICIES, READ_PERMISSIONS, judge


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    right = passed(
        f"{expected.role_name} has exactly the features {', '.join(expected.features)}.",
        inline_policies=sorted(expected.inline_policies),
    )
    return judge(
        context, expected, right, wrong="'s policies differ from the module", parts=POLICIES
    )


CHECK = Check(
    id="api_access.policies",
    promise="The role has the chosen features' policies as the module has them, and nothing extra.",
    permissions=READ_PERMISSIONS,
    run=_run,
)
