"""<feature>.access: Octo's own account assumes a feature's roles, and reads from each service."""

from __future__ import annotations

from functools import partial

from orchestrator.aws.probes import may_read
from orchestrator.aws.session import Aws
from orchestrator.aws.sts import may_assume, probe_role
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.outputs import RoleOutput
from orchestrator.model.policy import allowed
from orchestrator.verify.model import Check, Context, Finding, failed, passed, skipped
from orchestrator.verify.permissions import roles_of
from orchestrator.verify.roles import RESTORE


def _run(feature: str, context: Context) -> Finding:
    if context.principal is None:
        return skipped(
            "Not tried: only Octo's own account can assume the roles.",
            "What the roles may do is simulated: see the feature's permissions.",
        )
    read: set[str] = set()
    for role, policies in roles_of(context.expected, feature):
        granted = {action for policy in policies.values() for action in allowed(policy)}
        probes = [probe for probe in table().features[feature].probes if probe in granted]
        if mistake := _mistake(context, context.principal, role, probes):
            return failed(f"{mistake}.", RESTORE, role=role.role_name)
        read |= {*probes}
    return passed(
        f"Octo's account can use the roles of {feature} as intended, and has tried"
        f" {', '.join(sorted(read))}.",
        read=sorted(read),
    )


def _mistake(context: Context, principal: Aws, role: RoleOutput, probes: list[str]) -> str:
    """Return what is wrong with a role's access, in words; empty if nothing is."""
    name, arn = role.role_name, role.role_arn
    if table().roles[name].trust != "external_id":
        is_open = may_assume(principal, arn, context.external_id)
        return f"Octo's account can assume {name}, which is not for it" if is_open else ""
    access = probe_role(principal, arn, context.external_id)
    if access.session is None:
        return f"Octo's account cannot assume {name} with the external id"
    if access.missing or access.wrong:
        return f"{name} can be assumed without the right external id"
    denied = [probe for probe in probes if not may_read(access.session, probe)]
    return f"{name} is denied {', '.join(denied)}" if denied else ""


CHECKS = tuple(
    Check(
        id=f"{name}.access",
        promise=f"Octo can assume the roles of {name} that are for it, with the external id only,"
        " and read with them.",
        permissions=("sts:AssumeRole",),
        run=partial(_run, name),
    )
    for name, feature in table().features.items()
    if name != "cost" and feature.roles
)
