"""What the checks of permissions share: IAM simulates every action of a feature."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.aws.errors import ServiceError, is_not_found
from orchestrator.aws.iam import simulate
from orchestrator.model.desired import Desired
from orchestrator.model.observed import Observed, Role
from orchestrator.model.policy import samples
from orchestrator.verify.model import Context, Finding, failed, passed
from orchestrator.verify.remedy import Restore
from orchestrator.verify.roles import missing

SIMULATION = "iam:SimulatePrincipalPolicy"
UNCHECKED = "the permissions"
_SHOWN = 5


def read_denials(context: Context, feature: str) -> Observed:
    """Have IAM simulate a feature's permissions on the roles that have them."""
    roles = context.desired.of_feature(feature)
    return Observed(denials={role.name: _denials(context, role) for role in roles})


def _denials(context: Context, role: Role) -> Mapping[str, str] | None:
    denied: dict[str, str] = {}
    try:
        for sample, granted in samples(role.documents).items():
            denied |= simulate(context.aws, role.arn, granted, sample)
    except ServiceError as error:
        if is_not_found(error):
            return None
        raise
    return denied


def judge_permissions(desired: Desired, observed: Observed, feature: str) -> Finding:
    """Judge whether a boundary or a policy of the organization denies a feature's permissions."""
    denied: dict[str, str] = {}
    actions: set[str] = set()
    for role in desired.of_feature(feature):
        found = observed.denials[role.name]
        if found is None:
            return missing(role.name)
        denied |= found
        actions |= {action for granted in samples(role.documents).values() for action in granted}
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
