"""What the checks of roles share: a role's trust, policies and proof of access."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of, is_denied
from orchestrator.aws.session import AssumeRole, Aws
from orchestrator.model.module_outputs import RoleOutput
from orchestrator.verify.model import Context, Finding, Status
from orchestrator.verify.policy_document import as_list, same, statements

WRONG_EXTERNAL_ID = "octo-tf-wrong-external-id"
APPLY = "Run octo-tf apply: it brings the role back to what the module says."


def get_role(context: Context, name: str) -> dict[str, Any] | None:
    """The role (IAM GetRole); None if there is none of that name."""
    try:
        role: dict[str, Any] = context.aws.client("iam").get_role(RoleName=name)["Role"]
    except ClientError as error:
        if code_of(error) == "NoSuchEntity":
            return None
        raise
    return role


def missing(name: str) -> Finding:
    """The finding for a role that is not there."""
    return Finding(
        Status.FAIL,
        f"The role {name} does not exist.",
        {"role": name},
        "Run octo-tf apply: it makes the role.",
    )


def trust_mistakes(
    role: dict[str, Any], context: Context, *, trust: Literal["external_id", "principal_only"]
) -> list[str]:
    """How the role's trust differs from the strict one; empty if it is right.

    Strict: one Allow, for Octo's account alone, for sts:AssumeRole alone, under StringEquals on
    exactly this external id (or no condition for ``principal_only``).
    """
    found = statements(role["AssumeRolePolicyDocument"])
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
        return ["it has a condition, though principal_only is wanted"] if condition else []
    if not condition:
        return ["it does not ask for an external id"]
    if not isinstance(condition, dict) or set(condition) != {"StringEquals"}:
        return ["its condition is not StringEquals alone"]
    keys = condition["StringEquals"]
    # IAM ignores the case of condition keys.
    if not isinstance(keys, dict) or [str(key).lower() for key in keys] != ["sts:externalid"]:
        return ["its condition is not on sts:ExternalId alone"]
    (wanted,) = keys.values()
    if as_list(wanted) != [external_id]:
        return ["it asks for another external id"]
    return []


def policy_mistakes(role: dict[str, Any], expected: RoleOutput, aws: Aws) -> list[str]:
    """How the role's policies and boundary differ from what the module gives it."""
    iam, name = aws.client("iam"), expected.role_name
    inline = {
        policy
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
        for policy in page["PolicyNames"]
    }
    attached = {
        policy["PolicyArn"]
        for page in iam.get_paginator("list_attached_role_policies").paginate(RoleName=name)
        for policy in page["AttachedPolicies"]
    }
    wanted = set(expected.inline_policies)
    mistakes = [f"inline policy {policy} is missing" for policy in sorted(wanted - inline)]
    mistakes += [f"inline policy {policy} is extra" for policy in sorted(inline - wanted)]
    for policy in sorted(wanted & inline):
        actual = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        if not same(actual, expected.inline_policies[policy]):
            mistakes.append(f"inline policy {policy} was changed")
    managed = set(expected.managed_policy_arns)
    mistakes += [f"managed policy {arn} is missing" for arn in sorted(managed - attached)]
    mistakes += [f"managed policy {arn} is extra" for arn in sorted(attached - managed)]
    boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    if boundary != expected.permissions_boundary:
        mistakes.append(
            f"its permissions boundary is {boundary or 'not set'}, not"
            f" {expected.permissions_boundary or 'unset'}"
        )
    return mistakes


@dataclass(frozen=True)
class Access:
    """How a role answered Octo's principal: with the right id, with none, with a wrong one."""

    right: bool
    missing: bool
    wrong: bool
    session: Aws | None


def try_access(principal: Aws, role_arn: str, external_id: str) -> Access:
    """Assumes the role the three ways (STS AssumeRole)."""
    session = _assume(principal, role_arn, external_id)
    return Access(
        right=session is not None,
        missing=may_assume(principal, role_arn, None),
        wrong=may_assume(principal, role_arn, WRONG_EXTERNAL_ID),
        session=session,
    )


def may_assume(principal: Aws, role_arn: str, external_id: str | None) -> bool:
    """Whether the role lets the principal in with this external id (STS AssumeRole)."""
    return _assume(principal, role_arn, external_id) is not None


def _assume(principal: Aws, role_arn: str, external_id: str | None) -> Aws | None:
    try:
        return principal.assume(
            AssumeRole(role_arn, "octo-tf-verify", external_id, duration_seconds=900)
        )
    except ClientError as error:
        if is_denied(error):
            return None
        raise
