"""What a role can do that it should not: which policies are too many, and what is dangerous."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from orchestrator.detection.existing import Document, Loss, Role
from orchestrator.verify.policy_document import as_list, statements

# What an action gives whoever holds it, by actions that stand for the rest of their kind.
# Source: IAM User Guide, "Policies and permissions: access levels", and Service Authorization
# Reference; passing roles and writing IAM lead to whatever the account can do.
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
    """What is dangerous about policies, in words; a permissions boundary is not looked at."""
    patterns = [p for document in documents if document is not None for p in allowed(document)]
    if "*" in patterns or "*:*" in patterns:
        return (_ADMINISTRATOR,)
    return tuple(
        risk
        for risk, actions in RISKS.items()
        if any(_matches(action, pattern) for action in actions for pattern in patterns)
    )


def allowed(document: Document) -> list[str]:
    """The actions that a document allows, as patterns; NotAction allows all but a few."""
    found: set[str] = set()
    for statement in statements(document):
        if statement.get("Effect") == "Allow":
            found |= {str(action) for action in as_list(statement.get("Action", []))}
            if "NotAction" in statement:
                found.add("*")
    return sorted(found)


def role_risks(role: Role) -> tuple[str, ...]:
    """What is dangerous about a role; AWS's own administrator policy is known by its name."""
    if any(arn.endswith(":policy/AdministratorAccess") for arn in role.managed):
        return (_ADMINISTRATOR,)
    return risks([*role.inline.values(), *role.managed.values()])


def losses(resource: str, role: Role, kept: Mapping[str, Document]) -> Iterator[Loss]:
    """The policies that a role would lose, with what Octo could no longer do.

    Args:
        resource: what loses them, in words: the role, or the StackSet that makes it.
        role: as it is.
        kept: the inline policies that it is to have, by name; no managed ones.
    """
    remaining = [pattern for document in kept.values() for pattern in allowed(document)]
    extra: dict[str, Document | None] = {
        f"inline policy {name}": document
        for name, document in role.inline.items()
        if name not in kept
    }
    extra |= {f"managed policy {arn}": document for arn, document in role.managed.items()}
    for what, document in extra.items():
        yield Loss(resource, what, _consequence(document, remaining))


def _consequence(document: Document | None, remaining: list[str]) -> str:
    if document is None:
        return "its content may not be read; Octo loses what it allows"
    lost = [a for a in allowed(document) if not any(_matches(a, r) for r in remaining)]
    if not lost:
        return "Octo loses nothing by it"
    shown = ", ".join(lost[:_SHOWN]) + (f" and {len(lost) - _SHOWN} more" if lost[_SHOWN:] else "")
    dangerous = risks([document])
    return f"Octo loses {shown}" + (f" ({', '.join(dangerous)})" if dangerous else "")


def _matches(action: str, pattern: str) -> bool:
    """IAM's wildcards are ``*`` and ``?``, and case does not count."""
    plain = pattern.lower().replace("[", "[[]")
    return fnmatchcase(action.lower(), plain)
