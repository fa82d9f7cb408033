"""What the checks of roles share: how a role is judged, and the remedies."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Literal

from orchestrator.aws.iam import get_role, get_role_with_policies
from orchestrator.aws.sts import RoleAccess
from orchestrator.model.differences import Difference, Part, role_differences
from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.features import Trust
from orchestrator.model.module_contract.outputs import RoleOutput
from orchestrator.model.observed import Role
from orchestrator.model.policy import document
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
    context: Context,
    output: RoleOutput,
    right: Finding,
    *,
    wrong: str,
    parts: Container[Part] = _PARTS,
    concerns: Callable[[Difference], bool] = lambda _difference: True,
    trust: Trust | Literal["principal_only"] = "external_id",
) -> Finding:
    """Judge whether a role is as the module defines it.

    Args:
        context: the input of the check.
        output: the role as the module defines it.
        right: the finding if nothing differs.
        wrong: what follows the role's name in the finding if something does.
        parts: what is compared.
        concerns: tells which differences of these parts count.
        trust: who may assume the role; ``principal_only``: Octo, without the external id.
    """
    name = output.role_name
    read = get_role if parts == TRUST_ALONE else get_role_with_policies
    observed = read(context.aws, name)
    if observed is None:
        return missing(name)
    expected = context.expected
    principal = f"arn:{expected.partition}:iam::{expected.api_access.principal}:root"
    desired = Role(
        name,
        output.role_arn,
        trust=documents.trust(principal)
        if trust == "principal_only"
        else documents.role_trust(
            trust,
            principal,
            *context.accepted_ids,
            partition=expected.partition,
            account_id=expected.account_id,
        ),
        inline={name: document(text) for name, text in output.inline_policies.items()},
        managed=dict.fromkeys(output.managed_policy_arns),
        boundary=output.permissions_boundary,
    )
    found = [
        str(difference)
        for difference in role_differences(desired, observed)
        if difference.part in parts and concerns(difference)
    ]
    if not found:
        return right
    return failed(f"{name}{wrong}: {'; '.join(found)}.", RESTORE, role=name, mistakes=found)
