"""api_access.operations: the opt-in operations role is as the module defines it."""

from orchestrator.verify.model import Check, Context, Finding, passed
from orchestrator.verify.roles import READ_PERMISSIONS, judge


def _run(context: Context) -> Finding:
    expected = context.expected.api_access.operations
    assert expected is not None  # noqa: S101  (`only_if` ensures it)
    right = passed(
        f"{expected.role_name} is as the module defines it.",
        permissions_boundary=expected.permissions_boundary,
    )
    return judge(context, expected, right, wrong=" differs from the module")


CHECK = Check(
    id="api_access.operations",
    promise="The operations role has the module's trust, policies and boundary, and nothing extra.",
    permissions=READ_PERMISSIONS,
    run=_run,
    only_if=lambda context: context.expected.api_access.operations is not None,
)
