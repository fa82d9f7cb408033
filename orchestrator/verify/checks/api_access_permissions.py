"""api_access.permissions: what the policies say is really granted (boundaries, organization)."""

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of, is_denied
from orchestrator.aws.simulation import not_allowed
from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.policy_document import explicit_actions
from orchestrator.verify.roles import missing

_SHOWN = 5


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    actions = sorted({a for p in expected.inline_policies.values() for a in explicit_actions(p)})
    try:
        refused = {
            result["EvalActionName"]: _why(result)
            for result in not_allowed(context.aws, expected.role_arn, actions)
        }
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return missing(expected.role_name)
        if is_denied(error):
            return Finding(
                Status.SKIPPED,
                "Not simulated: the caller may not use iam:SimulatePrincipalPolicy.",
                {"permission": "iam:SimulatePrincipalPolicy"},
                "Grant the caller iam:SimulatePrincipalPolicy to have the permissions proved.",
            )
        raise
    if refused:
        shown = ", ".join(f"{action} ({why})" for action, why in sorted(refused.items())[:_SHOWN])
        more = f" and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        return Finding(
            Status.FAIL,
            f"{len(refused)} of {len(actions)} permissions are not granted: {shown}{more}.",
            {"refused": refused},
            "Run octo-tf apply; if they stay refused, a permissions boundary or a service control"
            " policy of the organization must let them through.",
        )
    return Finding(
        Status.PASS, f"All {len(actions)} permissions are granted.", {"actions": len(actions)}
    )


def _why(result: dict[str, dict[str, bool]]) -> str:
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return "denied by the organization"
    boundary = result.get("PermissionsBoundaryDecisionDetail", {})
    if not boundary.get("AllowedByPermissionsBoundary", True):
        return "outside the permissions boundary"
    return "explicitly denied" if str(result["EvalDecision"]) == "explicitDeny" else "not allowed"


CHECK = Check(
    id="api_access.permissions",
    area=Area.API_ACCESS,
    promise="Every permission of the chosen tiers is really granted.",
    permissions=("iam:SimulatePrincipalPolicy",),
    applies=lambda _context: True,
    run=_run,
)
