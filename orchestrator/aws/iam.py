"""Read IAM: roles with their policies, and what IAM says a principal may do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of, is_denied, is_not_found, none_if_missing
from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws
from orchestrator.model.observed import Document, ManagedPolicy, Role, own_policies
from orchestrator.model.partition import partition_of_region
from orchestrator.model.policy import Sample

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import (
        ContextEntryTypeDef,
        EvaluationResultTypeDef,
        PolicyDocumentTypeDef,
    )

# Actions in one SimulatePrincipalPolicy call: as many results as AWS puts on a page.
_SIMULATED_AT_ONCE = 100
_EVERYTHING = Sample("*", ())


@fact
@none_if_missing
def get_role(aws: Aws, name: str) -> Role:
    """Read a role without its policies (GetRole); None if there is none of that name."""
    found = aws.client("iam").get_role(RoleName=name)["Role"]
    return Role(
        name,
        found["Arn"],
        found["RoleId"],
        found.get("Description", ""),
        _document(found["AssumeRolePolicyDocument"]),
        boundary=found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        tags={
            tag["Key"]: tag["Value"]
            for tag in found.get("Tags", [])
            if not tag["Key"].startswith("aws:")
        },
        max_session_duration=found.get("MaxSessionDuration", 3600),
    )


@fact
def get_role_with_policies(aws: Aws, name: str) -> Role | None:
    """Read a role with its inline policies and the attached policies' ARNs, without documents.

    Sources: GetRole, ListRolePolicies, GetRolePolicy, ListAttachedRolePolicies.
    """
    role, iam = get_role(aws, name), aws.client("iam")
    if role is None:
        return None
    inline = {
        policy: _document(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
        for page in iam.get_paginator("list_role_policies").paginate(RoleName=name)
        for policy in page["PolicyNames"]
    }
    return replace(role, inline=inline, managed=dict.fromkeys(_attached(aws, name)))


def with_documents(aws: Aws, role: Role) -> Role:
    """Add the documents of the role's managed policies, as far as they may be read."""
    return replace(role, managed={arn: managed_document(aws, arn) for arn in role.managed})


def describe_role(aws: Aws, name: str) -> Role | None:
    """Read a role with all its policies and their documents; None if there is none."""
    role = get_role_with_policies(aws, name)
    return with_documents(aws, role) if role else None


def roles_that_trust(aws: Aws, principal: str) -> Iterator[str]:
    """Yield the names of the roles whose trust policy names an account (ListRoles)."""
    for page in aws.client("iam").get_paginator("list_roles").paginate():
        for found in page["Roles"]:
            if principal in json.dumps(found["AssumeRolePolicyDocument"]):
                yield found["RoleName"]


def delete_role(aws: Aws, name: str) -> None:
    """Delete a role with its policies; one that is gone is no error.

    The account's own managed policies are deleted with it if nothing else uses them.
    """
    iam = aws.client("iam")
    try:
        attached = _attached(aws, name)
        own = own_policies(attached)
        for arn in attached:
            is_alone = arn in own and _is_used_once(aws, arn)
            iam.detach_role_policy(RoleName=name, PolicyArn=arn)
            if is_alone:
                _delete_policy(aws, arn)
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for profile in iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]:
            iam.remove_role_from_instance_profile(
                InstanceProfileName=profile["InstanceProfileName"], RoleName=name
            )
        iam.delete_role(RoleName=name)
    except ClientError as error:
        if not is_not_found(error):
            raise


def _is_used_once(aws: Aws, arn: str) -> bool:
    found = aws.client("iam").get_policy(PolicyArn=arn)["Policy"]
    return found["AttachmentCount"] == 1 and not found.get("PermissionsBoundaryUsageCount")


def _delete_policy(aws: Aws, arn: str) -> None:
    iam = aws.client("iam")
    for page in iam.get_paginator("list_policy_versions").paginate(PolicyArn=arn):
        for version in page["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)


ROLE_QUOTA_HINT = (
    'Delete roles, or request an increase of the quota "Roles per account" (Service Quotas, IAM).'
)


def free_roles(aws: Aws) -> int:
    """Return how many roles the account can still have (GetAccountSummary)."""
    summary = aws.client("iam").get_account_summary()["SummaryMap"]
    return summary["RolesQuota"] - summary["Roles"]


@fact
def simulate(
    aws: Aws, arn: str, actions: tuple[str, ...], sample: Sample = _EVERYTHING
) -> dict[str, str]:
    """Return why a principal is denied actions; allowed actions are left out.

    Source: SimulatePrincipalPolicy.

    Args:
        aws: the account of the principal.
        actions: exact actions.
        sample: on which resource, and with which values of condition keys.

    Raises:
        ServiceError: there is no such principal, or the simulation is denied.
    """
    paginator = aws.client("iam").get_paginator("simulate_principal_policy")
    context: list[ContextEntryTypeDef] = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in sample.context
    ]
    batches = [
        actions[start : start + _SIMULATED_AT_ONCE]
        for start in range(0, len(actions), _SIMULATED_AT_ONCE)
    ]
    return {
        result["EvalActionName"]: _denial(result)
        for batch in batches
        for page in paginator.paginate(
            PolicySourceArn=arn,
            ActionNames=batch,
            ContextEntries=context,
            ResourceArns=[sample.resource],
        )
        for result in page["EvaluationResults"]
        if result["EvalDecision"] != "allowed"
    }


def _denial(result: EvaluationResultTypeDef) -> str:
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return "denied by the organization"
    boundary = result.get("PermissionsBoundaryDecisionDetail", {})
    if not boundary.get("AllowedByPermissionsBoundary", True):
        return "outside the permissions boundary"
    return "explicitly denied" if result["EvalDecision"] == "explicitDeny" else "not allowed"


def _attached(aws: Aws, name: str) -> list[str]:
    pages = aws.client("iam").get_paginator("list_attached_role_policies").paginate(RoleName=name)
    return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]


def describe_policy(aws: Aws, name: str, account_id: str) -> ManagedPolicy | None:
    """Read a customer-managed policy; None if there is none of that name."""
    arn = f"arn:{partition_of_region(aws.region)}:iam::{account_id}:policy/{name}"
    found = managed_document(aws, arn)
    return None if found is None else ManagedPolicy(arn, found)


@fact
def managed_document(aws: Aws, arn: str) -> Document | None:
    """Read a managed policy's default version; None if access is denied or it is unknown."""
    iam = aws.client("iam")
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
    except ClientError as error:
        # ValidationError: an ARN that only the linked accounts know (${AWS::AccountId}).
        if is_denied(error) or is_not_found(error) or code_of(error) == "ValidationError":
            return None
        raise
    return _document(found["Document"])


def _document(value: str | PolicyDocumentTypeDef) -> Document:
    """Type a policy document; botocore has decoded its URL-encoded JSON."""
    return cast("Mapping[str, Any]", value)
