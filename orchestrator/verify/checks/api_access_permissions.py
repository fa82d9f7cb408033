"""api_access.permissions: boundaries and the organization let the role's permissions through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.aws.errors import ServiceError, is_denied, is_not_found
from orchestrator.aws.iam import denied_evaluations
from orchestrator.model.policy import explicit_actions
from orchestrator.verify.model import Area, Check, Context, Finding, Status
from orchestrator.verify.roles import missing

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import EvaluationResultTypeDef

_SHOWN = 5


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    actions = sorted({a for p in expected.inline_policies.values() for a in explicit_actions(p)})
    try:
        denied = {
            result["EvalActionName"]: _why(result)
            for result in denied_evaluations(context.aws, expected.role_arn, actions)
        }
    except ServiceError as error:
        if is_not_found(error):
            return missing(expected.role_name)
        if is_denied(error):
            return Finding(
                Status.SKIPPED,
                "Not checked: the caller lacks iam:SimulatePrincipalPolicy.",
                {"permission": "iam:SimulatePrincipalPolicy"},
                "Grant the caller iam:SimulatePrincipalPolicy to have the permissions checked.",
            )
        raise
    if denied:
        shown = ", ".join(f"{action} ({why})" for action, why in sorted(denied.items())[:_SHOWN])
        more = f" and {len(denied) - _SHOWN} more" if len(denied) > _SHOWN else ""
        return Finding(
            Status.FAIL,
            f"{len(denied)} of {len(actions)} permissions are not granted: {shown}{more}.",
            {"refused": denied},
            "Run octo-tf apply; if they stay denied, change the permissions boundary or the"
            " organization's service control policy that denies them.",
        )
    return Finding(
        Status.PASS, f"All {len(actions)} permissions are granted.", {"actions": len(actions)}
    )


def _why(result: EvaluationResultTypeDef) -> str:
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return "denied by the organization"
    boundary = result.get("PermissionsBoundaryDecisionDetail", {})
    if not boundary.get("AllowedByPermissionsBoundary", True):
        return "outside the permissions boundary"
    return "explicitly denied" if result["EvalDecision"] == "explicitDeny" else "not allowed"


CHECK = Check(
    id="api_access.permissions",
    area=Area.API_ACCESS,
    promise="Every permission of the chosen tiers is really granted.",
    permissions=("iam:SimulatePrincipalPolicy",),
    applies=lambda _context: True,
    run=_run,
)
