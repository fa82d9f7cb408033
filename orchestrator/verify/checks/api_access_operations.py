"""api_access.operations: the opt-in operations role is as the module defines it."""

from orchestrator.aws.iam import get_role_with_policies
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.roles import READ_PERMISSIONS, RESTORE, missing, mistakes


def _run(context: Context) -> Finding:
    expected = context.expected.api_access.operations
    assert expected is not None  # noqa: S101  (`only_if` ensures it)
    role = get_role_with_policies(context.aws, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    trust, policies = mistakes(context, expected, role)
    if found := [*trust, *policies]:
        return failed(
            f"{expected.role_name} differs from the module: {'; '.join(found)}.",
            RESTORE,
            role=expected.role_name,
            mistakes=found,
        )
    return passed(
        f"{expected.role_name} is as the module defines it.",
        permissions_boundary=expected.permissions_boundary,
    )


CHECK = Check(
    id="api_access.operations",
    promise="The operations role has the module's trust, policies and boundary, and nothing extra.",
    permissions=READ_PERMISSIONS,
    run=_run,
    only_if=lambda context: context.expected.api_access.operations is not None,
)
