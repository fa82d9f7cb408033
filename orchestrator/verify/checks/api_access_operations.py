"""api_access.operations: the opt-in operations role is as the module defines it."""

from orchestrator.aws.iam import get_role_with_policies
from orchestrator.verify.model import Area, Check, Context, Finding, failed, passed
from orchestrator.verify.roles import (
    APPLY,
    READ_PERMISSIONS,
    missing,
    policy_mistakes,
    trust_mistakes,
)


def _run(context: Context) -> Finding:
    expected = context.expected.api_access.operations
    assert expected is not None  # noqa: S101  (`applies` ensures it)
    role = get_role_with_policies(context.aws, expected.role_name)
    if role is None:
        return missing(expected.role_name)
    mistakes = [
        *trust_mistakes(role, context, trust="external_id"),
        *policy_mistakes(role, expected),
    ]
    if mistakes:
        return failed(
            f"{expected.role_name} differs from the module: {'; '.join(mistakes)}.",
            APPLY,
            role=expected.role_name,
            mistakes=mistakes,
        )
    return passed(
        f"{expected.role_name} is as the module defines it.",
        permissions_boundary=expected.permissions_boundary,
    )


CHECK = Check(
    id="api_access.operations",
    area=Area.API_ACCESS,
    promise="The operations role has the module's trust, policies and boundary, and nothing extra.",
    permissions=READ_PERMISSIONS,
    applies=lambda context: context.expected.api_access.operations is not None,
    run=_run,
)
