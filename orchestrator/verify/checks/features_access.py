"""<feature>.access: Octo's own account assumes a feature's roles, and reads from each service."""

from __future__ import annotations

from functools import partial

from orchestrator.aws.probes import may_read
from orchestrator.aws.session import Aws
from orchestrator.aws.sts import may_assume, probe_role
from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.features import table
from orchestrator.model.observed import Observed, Probes, Role
from orchestrator.model.policy import allowed
from orchestrator.verify.model import Check, Finding, failed, passed, skipped
from orchestrator.verify.roles import RESTORE


def _probe(feature: str, principal: Aws, desired: Desired, _observed: Observed) -> Probes:
    read: set[str] = set()
    mistakes: dict[str, str] = {}
    for role in desired.of_feature(feature):
        granted = {action for policy in role.inline.values() for action in allowed(policy)}
        probes = [probe for probe in table().features[feature].probes if probe in granted]
        read |= {*probes}
        mistakes[role.name] = _mistake(principal, desired.external_id, role, probes)
        if mistakes[role.name]:
            break
    return Probes(mistakes=mistakes, read=sorted(read))


def _judge(feature: str, _desired: Desired, observed: Observed) -> Finding:
    if observed.probes is None:
        return skipped(
            "Not tried: only Octo's own account can assume the roles.",
            "What the roles may do is simulated: see the feature's permissions.",
        )
    for role, mistake in observed.probes.mistakes.items():
        if mistake:
            return failed(f"{mistake}.", RESTORE, role=role)
    return passed(
        f"Octo's account can use the roles of {feature} as intended, and has tried"
        f" {', '.join(observed.probes.read)}.",
        read=[*observed.probes.read],
    )


def _mistake(principal: Aws, external_id: str, role: Role, probes: list[str]) -> str:
    """Return what is wrong with a role's access, in words; empty if nothing is."""
    name, arn = role.name, role.arn
    if table().roles[name].trust != "external_id":
        is_open = may_assume(principal, arn, external_id)
        return f"Octo's account can assume {name}, which is not for it" if is_open else ""
    access, session = probe_role(principal, arn, external_id)
    if session is None:
        return f"Octo's account cannot assume {name} with the external id"
    if access.missing or access.wrong:
        return f"{name} can be assumed without the right external id"
    denied = [probe for probe in probes if not may_read(session, probe)]
    return f"{name} is denied {', '.join(denied)}" if denied else ""


CHECKS = tuple(
    Check(
        id=f"{name}.access",
        promise=f"Octo can assume the roles of {name} that are for it, with the external id only,"
        " and read with them.",
        permissions=("sts:AssumeRole",),
        judge=partial(_judge, name),
        probe=partial(_probe, name),
    )
    for name, feature in table().features.items()
    if name != "cost" and feature.roles
)
