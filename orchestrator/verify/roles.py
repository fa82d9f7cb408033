"""What the checks of roles share: how a role is read and judged, and the remedies."""

from __future__ import annotations

from collections.abc import Callable, Container

from orchestrator.aws.iam import get_role, get_role_with_policies, with_documents
from orchestrator.model.differences import Difference, Part, role_differences
from orchestrator.model.module_contract.octo_names import API_ROLE
from orchestrator.model.observed import Observed, Role, RoleAccess
from orchestrator.verify.model import Context, Finding, failed
from orchestrator.verify.remedy import Restore

RESTORE = Restore("it restores the role to what the module defines")
TRUST_ALONE = (Part.TRUST,)
POLICIES = (Part.INLINE, Part.MANAGED, Part.BOUNDARY)
_PARTS = (*TRUST_ALONE, *POLICIES)
READ_PERMISSIONS = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
)


def read_roles(context: Context, *roles: Role) -> Observed:
    """Read the roles of these names with their policies (IAM).

    The documents of managed policies are read where the desired role has some.
    """
    found = {role.name: get_role_with_policies(context.aws, role.name) for role in roles}
    for role in roles:
        if role.managed and (observed := found[role.name]):
            found[role.name] = with_documents(context.aws, observed)
    return Observed(roles=found)


def read_api_role(context: Context) -> Observed:
    """Read the API access role without its policies (IAM GetRole)."""
    name = API_ROLE
    return Observed(roles={name: get_role(context.aws, name)})


def missing(name: str) -> Finding:
    """Return the finding for a role that does not exist."""
    return failed(f"The role {name} does not exist.", Restore("it creates the role"), role=name)


def access_evidence(access: RoleAccess) -> dict[str, object]:
    """Return the evidence of a probe: which external ids the role accepted."""
    return {
        f"{kind}_external_id": "allowed" if accepted else "denied"
        for kind, accepted in (
            ("right", access.right),
            ("missing", access.missing),
            ("wrong", access.wrong),
        )
    }


def judge(
    desired: Role,
    observed: Observed,
    right: Finding,
    *,
    wrong: str,
    parts: Container[Part] = _PARTS,
    concerns: Callable[[Difference], bool] = lambda _difference: True,
) -> Finding:
    """Judge whether a role is as the module defines it.

    Args:
        observed: what was read, with the role of that name.
        wrong: what follows the role's name in the finding if something does.
        concerns: tells which differences of these parts count.
    """
    name = desired.name
    role = observed.roles[name]
    if role is None:
        return missing(name)
    found = [
        str(difference)
        for difference in role_differences(desired, role)
        if difference.part in parts and concerns(difference)
    ]
    if not found:
        return right
    return failed(f"{name}{wrong}: {'; '.join(found)}.", RESTORE, role=name, mistakes=found)
