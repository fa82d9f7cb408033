"""What the checks of roles share: the desired role, and the remedies."""

from __future__ import annotations

from orchestrator.aws.sts import RoleAccess
from orchestrator.model.differences import Part, role_differences
from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.outputs import RoleOutput
from orchestrator.model.observed import Role
from orchestrator.model.policy import document
from orchestrator.verify.model import Context, Finding, failed
from orchestrator.verify.remedy import Restore

RESTORE = Restore("it restores the role to what the module defines")
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


def mistakes(
    context: Context, output: RoleOutput, observed: Role, *, trust: str = "external_id"
) -> tuple[list[str], list[str]]:
    """List how a role's trust policy, and how its policies and boundary, differ from the module's.

    ``trust``: ``principal_only`` for a role that is not to require the external id.
    """
    expected = context.expected
    principal = f"arn:{expected.partition}:iam::{expected.api_access.principal}:root"
    desired = Role(
        output.role_name,
        output.role_arn,
        "",
        observed.description,  # no check's promise
        documents.trust(principal, context.external_id if trust == "external_id" else None),
        {name: document(text) for name, text in output.inline_policies.items()},
        dict.fromkeys(output.managed_policy_arns),
        output.permissions_boundary,
    )
    found = role_differences(desired, observed)
    return (
        [str(difference) for difference in found if difference.part is Part.TRUST],
        [str(d) for d in found if d.part not in (Part.TRUST, Part.PRINCIPAL)],
    )
