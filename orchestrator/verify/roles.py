"""What the checks of roles share: how a role's trust and policies differ from the module's."""

from __future__ import annotations

from typing import Any, Literal

from orchestrator.aws.sts import RoleAccess
from orchestrator.model.module_outputs import RoleOutput
from orchestrator.model.observed import Role
from orchestrator.model.policy import as_list, equivalent, statements
from orchestrator.verify.model import Context, Finding, failed

APPLY = "Run octo-tf apply: it restores the role to what the module defines."
READ_PERMISSIONS = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
)


def missing(name: str) -> Finding:
    """Return the finding for a role that does not exist."""
    return failed(
        f"The role {name} does not exist.", "Run octo-tf apply: it creates the role.", role=name
    )


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


def trust_mistakes(
    role: Role, context: Context, *, trust: Literal["external_id", "principal_only"]
) -> list[str]:
    """List how the role's trust policy differs from the strict one.

    Strict: one Allow statement, whose principal is Octo's account alone, whose action is
    sts:AssumeRole alone, and whose condition is StringEquals on exactly this external id (or no
    condition for ``principal_only``).
    """
    found = statements(role.trust)
    if len(found) != 1:
        return [f"it has {len(found)} statements instead of one"]
    (statement,) = found
    expected = context.expected
    principal = expected.api_access.principal
    accepted = {principal, f"arn:{expected.partition}:iam::{principal}:root"}
    named = statement.get("Principal")
    mistakes = []
    if statement.get("Effect") != "Allow":
        mistakes.append("its effect is not Allow")
    if (
        not isinstance(named, dict)
        or set(named) != {"AWS"}
        or len(as_list(named["AWS"])) != 1
        or as_list(named["AWS"])[0] not in accepted
    ):
        mistakes.append(f"its principal is not account {principal} alone")
    if as_list(statement.get("Action")) != ["sts:AssumeRole"]:
        mistakes.append("its action is not sts:AssumeRole alone")
    if extra := set(statement) - {"Sid", "Effect", "Principal", "Action", "Condition"}:
        mistakes.append(f"it has {', '.join(sorted(extra))}")
    mistakes += _condition_mistakes(statement.get("Condition"), context.external_id, trust)
    return mistakes


def _condition_mistakes(condition: Any, external_id: str, trust: str) -> list[str]:
    if trust == "principal_only":
        return ["it has a condition, against cur_role_trust: principal_only"] if condition else []
    if not condition:
        return ["it does not require an external id"]
    if not isinstance(condition, dict) or set(condition) != {"StringEquals"}:
        return ["its condition is not StringEquals alone"]
    keys = condition["StringEquals"]
    # IAM ignores the case of condition keys.
    if not isinstance(keys, dict) or [str(key).lower() for key in keys] != ["sts:externalid"]:
        return ["its condition is not on sts:ExternalId alone"]
    (wanted,) = keys.values()
    if as_list(wanted) != [external_id]:
        return ["it requires another external id"]
    return []


def policy_mistakes(role: Role, expected: RoleOutput) -> list[str]:
    """List how the role's policies and boundary differ from the module's."""
    wanted = set(expected.inline_policies)
    mistakes = [
        f"inline policy {policy} is missing" for policy in sorted(wanted - set(role.inline))
    ]
    mistakes += [f"inline policy {policy} is extra" for policy in sorted(set(role.inline) - wanted)]
    mistakes += [
        f"inline policy {policy} was changed"
        for policy in sorted(wanted & set(role.inline))
        if not equivalent(role.inline[policy], expected.inline_policies[policy])
    ]
    managed, attached = set(expected.managed_policy_arns), set(role.managed)
    mistakes += [f"managed policy {arn} is missing" for arn in sorted(managed - attached)]
    mistakes += [f"managed policy {arn} is extra" for arn in sorted(attached - managed)]
    if role.boundary != expected.permissions_boundary:
        mistakes.append(
            f"its permissions boundary is {role.boundary or 'not set'}, not"
            f" {expected.permissions_boundary or 'unset'}"
        )
    return mistakes
