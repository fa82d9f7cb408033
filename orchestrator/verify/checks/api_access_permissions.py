"""api_access.permissions: boundaries and the organization let the role's permissions through."""

from orchestrator.aws.errors import ServiceError, is_denied, is_not_found
from orchestrator.aws.iam import simulate
from orchestrator.model.policy import explicit_actions
from orchestrator.verify.model import Check, Context, Finding, failed, passed, skipped
from orchestrator.verify.remedy import Restore
from orchestrator.verify.roles import missing

_SHOWN = 5


def _run(context: Context) -> Finding:
    expected = context.expected.api_access
    denied: dict[str, str] = {}
    actions: set[str] = set()
    for role in (expected, *expected.feature_roles):
        granted = {
            action
            for policy in role.inline_policies.values()
            for action in explicit_actions(policy, on_all=True)
        }
        try:
            denied |= simulate(context.aws, role.role_arn, tuple(sorted(granted)))
        except ServiceError as error:
            if is_not_found(error):
                return missing(role.role_name)
            if is_denied(error):
                return skipped(
                    "Not checked: the caller may not use iam:SimulatePrincipalPolicy.",
                    "Grant the caller iam:SimulatePrincipalPolicy to have the permissions checked.",
                    permission="iam:SimulatePrincipalPolicy",
                )
            raise
        actions |= granted
    if denied:
        shown = ", ".join(f"{action} ({why})" for action, why in sorted(denied.items())[:_SHOWN])
        more = f" and {len(denied) - _SHOWN} more" if len(denied) > _SHOWN else ""
        return failed(
            f"{len(denied)} of {len(actions)} permissions {'is' if len(denied) == 1 else 'are'} not"
            f" granted: {shown}{more}.",
            Restore(
                "it restores the role's policies",
                otherwise="If they stay denied, change the permissions boundary or the"
                " organization's service control policy that denies them.",
            ),
            refused=denied,
        )
    return passed(f"All {len(actions)} permissions are granted.", actions=len(actions))


CHECK = Check(
    id="api_access.permissions",
    promise="Every permission of the chosen features is really granted.",
    permissions=("iam:SimulatePrincipalPolicy",),
    run=_run,
)
