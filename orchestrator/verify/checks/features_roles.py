"""<feature>.roles: what a feature adds to Octo's roles is as the module has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from orchestrator.model.differences import Difference, Part
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.outputs import FeatureRoleOutput
from orchestrator.verify.model import Check, Context, Finding, passed
from orchestrator.verify.permissions import roles_of
from orchestrator.verify.roles import READ_PERMISSIONS, judge


def _run(feature: str, context: Context) -> Finding:
    roles = [*roles_of(context.expected, feature)]
    names = [role.role_name for role, _ in roles]
    right = passed(
        f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} what the module defines.",
        roles=names,
    )
    for role, policies in roles:
        if isinstance(role, FeatureRoleOutput):
            finding = judge(
                context, role, right, wrong=" differs from the module", trust=role.trust
            )
        else:  # trust, boundary and the other policies are checks of API access
            finding = judge(
                context,
                role,
                right,
                wrong=f"'s policies for {feature} differ from the module",
                parts=(Part.INLINE,),
                concerns=partial(_is_of, policies),
            )
        if finding is not right:
            return finding
    return right


def _is_of(policies: Mapping[str, str], difference: Difference) -> bool:
    return difference.kind != "extra" and difference.name in policies


CHECKS = tuple(
    Check(
        id=f"{name}.roles",
        promise=f"The roles of {name} have the module's trust, policies and boundary, and nothing"
        " extra.",
        permissions=READ_PERMISSIONS,
        run=partial(_run, name),
    )
    for name, feature in table().features.items()
    if name != "cost" and feature.roles
)
