"""<feature>.roles: what a feature adds to Octo's roles is as the module has it."""

from __future__ import annotations

from functools import partial

from orchestrator.model.desired import Desired
from orchestrator.model.differences import Part
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import Observed
from orchestrator.verify.model import Check, Context, Finding, passed
from orchestrator.verify.roles import READ_PERMISSIONS, judge, read_roles


def _read(feature: str, context: Context) -> Observed:
    return read_roles(context, *context.desired.of_feature(feature))


def _judge(feature: str, desired: Desired, observed: Observed) -> Finding:
    roles = desired.of_feature(feature)
    names = [role.name for role in roles]
    right = passed(
        f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} what the module defines.",
        roles=names,
    )
    for role in roles:
        if role.name != API_ROLE:
            finding = judge(role, observed, right, wrong=" differs from the module")
        else:  # trust, boundary and the other policies are checks of API access
            finding = judge(
                role,
                observed,
                right,
                wrong=f"'s policies for {feature} differ from the module",
                parts=(Part.INLINE,),
                concerns=lambda difference: difference.kind != "extra",
            )
        if finding is not right:
            return finding
    return right


CHECKS = tuple(
    Check(
        id=f"{name}.roles",
        promise=f"The roles of {name} have the module's trust, policies and boundary, and nothing"
        " extra.",
        permissions=READ_PERMISSIONS,
        read=partial(_read, name),
        judge=partial(_judge, name),
    )
    for name, feature in table().features.items()
    if name != "cost" and feature.roles
)
