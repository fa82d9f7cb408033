"""The check that a feature's permissions are granted: IAM simulates every action of it."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.aws.errors import none_if_missing
from orchestrator.aws.iam import simulate
from orchestrator.model.observed import Observed, Role
from orchestrator.model.policy import allowed, samples
from orchestrator.model.policy.classification import expand, source
from orchestrator.model.words import listed
from orchestrator.verify.model import Check, Context, Finding, failed, passed
from orchestrator.verify.remedy import Restore
from orchestrator.verify.roles import missing

_SHOWN = 5


def granted(area: str, feature: str) -> Check:
    """Return the check, as part of an area, that a feature's permissions are granted."""
    return Check(
        id=f"{area}.permissions",
        promise=f"Every permission that {feature} needs is really granted.",
        permissions=("iam:SimulatePrincipalPolicy",),
        read=lambda context: Observed(
            denials={r.name: _denials(context, r) for r in context.desired.of_feature(feature)}
        ),
        judge=lambda desired, observed: _judge(desired.of_feature(feature), observed),
        optional="the permissions",
    )


@none_if_missing
def _denials(context: Context, role: Role) -> Mapping[str, str]:
    denied: dict[str, str] = {}
    for sample, actions in samples(role.documents).items():
        denied |= simulate(context.aws, role.arn, actions, sample)
    return denied


def _judge(roles: list[Role], observed: Observed) -> Finding:
    """Judge whether a boundary or a policy of the organization denies the roles' permissions."""
    denied: dict[str, str] = {}
    actions: set[str] = set()
    patterns: set[str] = set()
    for role in roles:
        found = observed.denials[role.name]
        if found is None:
            return missing(role.name)
        denied |= found
        actions |= {action for sample in samples(role.documents).values() for action in sample}
        names = (name for policy in role.documents.values() for name in allowed(policy))
        patterns |= {name for name in names if "*" in name}
    if denied:
        said = [f"{action} ({why})" for action, why in sorted(denied.items())]
        are = "is" if len(denied) == 1 else "are"
        return failed(
            f"{len(denied)} of {len(actions)} permissions {are} not granted:"
            f" {listed(said, _SHOWN)}.",
            Restore(
                "it restores the role's policies",
                otherwise="If they stay denied, change the permissions boundary or the"
                " organization's service control policy that denies them.",
            ),
            refused=denied,
        )
    meant = {action for pattern in patterns for action in expand(pattern)}
    by = ""
    if patterns:
        by = (
            f"; {len(meant)} of them were expanded from {', '.join(sorted(patterns))} by AWS's list"
            f" of actions of {source()['date']}"
        )
    return passed(
        f"All {len(actions)} permissions are granted{by}.",
        actions=len(actions),
        patterns=sorted(patterns),
    )
