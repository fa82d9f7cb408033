"""What the checks of permissions share: IAM simulates every action of a feature."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.aws.errors import ServiceError, is_denied, is_not_found
from orchestrator.aws.iam import simulate
from orchestrator.model.module_contract.features import own_policies, table
from orchestrator.model.module_contract.outputs import Outputs, RoleOutput
from orchestrator.model.policy import samples
from orchestrator.verify.model import Context, Finding, failed, passed, skipped
from orchestrator.verify.remedy import Restore
from orchestrator.verify.roles import missing

SIMULATION = "iam:SimulatePrincipalPolicy"
_SHOWN = 5


def roles_of(expected: Outputs, feature: str) -> Iterator[tuple[RoleOutput, dict[str, str]]]:
    """Yield the roles that a feature reads or acts by, with its own policies of each.

    The role that reads the report is a check of its own.
    """
    access = expected.api_access
    of_feature = table().features[feature].roles
    for role in (access, *access.feature_roles):
        if role.role_name in of_feature:
            # A role of one feature has its policies alone; the API access role has those of all.
            names = (
                own_policies(feature, role.role_name) if role is access else role.inline_policies
            )
            yield role, {n: t for n, t in role.inline_policies.items() if n in names}


def judge_permissions(context: Context, feature: str) -> Finding:
    """Check that no boundary and no policy of the organization denies a feature's permissions."""
    denied: dict[str, str] = {}
    actions: set[str] = set()
    for role, policies in roles_of(context.expected, feature):
        for sample, granted in samples(policies).items():
            try:
                denied |= simulate(context.aws, role.role_arn, granted, sample)
            except ServiceError as error:
                if is_not_found(error):
                    return missing(role.role_name)
                if is_denied(error):
                    return skipped(
                        f"Not checked: the caller may not use {SIMULATION}.",
                        f"Grant the caller {SIMULATION} to have the permissions checked.",
                        permission=SIMULATION,
                    )
                raise
            actions |= {*granted}
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
