"""What a role may do: its risky permissions, and the policies that an import would remove."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.model.differences import Part, role_differences
from orchestrator.model.observed import Document, Removal, Role
from orchestrator.model.policy import allowed, as_list, matches, statements
from orchestrator.model.policy.statement import has_action
from orchestrator.model.words import listed

# Each risk with actions that stand for the others of their kind. Passing roles and writing IAM
# lead to every other permission in the account.
# Source: IAM User Guide, "Policies and permissions: access levels", and Service Authorization
# Reference.
RISKS = {
    "writes IAM": (
        *("iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:CreatePolicy"),
        *("iam:CreateAccessKey", "iam:UpdateAssumeRolePolicy", "iam:CreateUser"),
    ),
    "passes roles on": ("iam:PassRole",),
    "reads secrets": (
        *("secretsmanager:GetSecretValue", "ssm:GetParameter", "kms:Decrypt"),
        *("lambda:GetFunction",),
    ),
    "runs commands or code": (
        *("ssm:SendCommand", "ssm:StartAutomationExecution", "lambda:UpdateFunctionCode"),
        *(
            "lambda:UpdateFunctionConfiguration",
            "ecs:RegisterTaskDefinition",
            "lambda:InvokeFunction",
        ),
    ),
    "changes the organization": (
        *("organizations:LeaveOrganization", "organizations:AcceptHandshake"),
        *("organizations:EnableAWSServiceAccess", "organizations:MoveAccount"),
    ),
    "stops or deletes": (
        *("ec2:TerminateInstances", "ec2:StopInstances", "rds:DeleteDBInstance"),
        *("s3:DeleteObject", "s3:DeleteBucket", "ec2:DeleteVolume", "ec2:DeleteSnapshot"),
    ),
}
_ADMINISTRATOR = "everything (AdministratorAccess)"
_SHOWN = 6


def risks(documents: Iterable[Document | None]) -> tuple[str, ...]:
    """List the risks of policies, in words; a permissions boundary is not taken into account."""
    granting = [
        statement
        for document in documents
        if document is not None
        for statement in statements(document)
        if statement.get("Effect") == "Allow"
    ]
    if {"*", "*:*"} & {str(a) for s in granting for a in as_list(s.get("Action", []))}:
        return (_ADMINISTRATOR,)
    return tuple(
        risk
        for risk, actions in RISKS.items()
        if any(has_action(statement, action) for action in actions for statement in granting)
    )


def role_risks(role: Role) -> tuple[str, ...]:
    """List the risks of a role; AWS's administrator policy is recognized by its name."""
    if any(arn.endswith(":policy/AdministratorAccess") for arn in role.managed):
        return (_ADMINISTRATOR,)
    return risks(role.documents.values())


def removals(resource: str, desired: Role, observed: Role) -> tuple[Removal, ...]:
    """List the policies and trusted principals that a role would lose, with what that means.

    Args:
        resource: what loses them: the role, or the StackSet that creates the role.
        desired: the role as it will be; its policies say what Octo can still do.
    """
    remaining = [pattern for policy in desired.inline.values() for pattern in allowed(policy)]
    found = []
    for extra in (d for d in role_differences(desired, observed) if d.kind == "extra"):
        why = "it could not assume the role any more"
        if extra.part is not Part.PRINCIPAL:
            policies = observed.inline if extra.part is Part.INLINE else observed.managed
            why = _consequence(policies[extra.name], remaining)
        found.append(Removal(resource, f"{extra.part.value} {extra.name}", why))
    return tuple(found)


def _consequence(document: Document | None, remaining: list[str]) -> str:
    if document is None:
        return "its content may not be read; Octo loses what it allows"
    lost = [a for a in allowed(document) if not any(matches(a, r) for r in remaining)]
    if not lost:
        return "Octo loses nothing by it"
    loses = f"Octo loses {listed(lost, _SHOWN)}"
    dangerous = ", ".join(risks([document]))
    return f"{loses} ({dangerous})" if dangerous else loses
