"""What a caller must be allowed to do in an account, by what is chosen, and what IAM refuses.

The actions that octo-tf and Terraform's provider call, found by running everything on the sandbox,
whose authorization names what is denied, with a caller that has these and nothing else
(``tests/e2e/test_doctor.py`` keeps it so).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.aws.session import Aws
from orchestrator.aws.simulation import not_allowed
from orchestrator.model.account import AccountType
from orchestrator.model.registration import Registration

# An assumed role's session; IAM simulates its role. The role's path is not in it.
_SESSION = re.compile(r"arn:[\w-]+:sts::\d{12}:assumed-role/([^/]+)/.+")

_ROLE = """
CreateRole DeleteRole GetRole GetRolePolicy DeleteRolePolicy ListAttachedRolePolicies
ListInstanceProfilesForRole ListRolePolicies PutRolePolicy AttachRolePolicy DetachRolePolicy
SimulatePrincipalPolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription
"""
_BOUNDARY = "PutRolePermissionsBoundary DeleteRolePermissionsBoundary"
_POLICY = """
CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion
ListPolicyVersions TagPolicy UntagPolicy
"""
_REPORT = """
DeleteReportDefinition DescribeReportDefinitions ListTagsForResource ModifyReportDefinition
PutReportDefinition TagResource UntagResource
"""
_READ_BUCKET = "GetBucketLocation GetBucketPolicy GetBucketPublicAccessBlock GetObject ListBucket"
_OWN_BUCKET = """
CreateBucket DeleteBucket DeleteBucketPolicy GetAccelerateConfiguration GetBucketAcl GetBucketCORS
GetBucketLogging GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls
GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite
GetEncryptionConfiguration GetLifecycleConfiguration GetReplicationConfiguration
PutBucketNotification PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock
PutBucketTagging PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration
"""

_STACKSET = """
ActivateOrganizationsAccess CreateStackInstances CreateStackSet DeleteStackInstances DeleteStackSet
DescribeOrganizationsAccess DescribeStackSet DescribeStackSetOperation ListStackInstances
ListStackSetOperationResults ListStackSetOperations TagResource UntagResource UpdateStackInstances
UpdateStackSet
"""
_ORGANIZATION = "ListAccountsForParent ListOrganizationalUnitsForParent ListRoots"


def needed(registration: Registration, account_type: AccountType) -> list[str]:
    """The actions, sorted, like ``iam:CreateRole``."""
    actions = _of("iam", _ROLE) | {"organizations:DescribeOrganization"}
    operations = "operations" in (registration.permission_tiers or [])
    if operations or registration.permissions_boundary:
        actions |= _of("iam", _BOUNDARY)
    if operations:
        actions |= _of("iam", _POLICY)
    if account_type != "linked":
        actions |= _of("cur", _REPORT) | _of("s3", _READ_BUCKET)
        if registration.cur_s3_bucket_option != "USE_EXISTING":
            actions |= _of("s3", _OWN_BUCKET)
        elif registration.cur_s3_bucket_merge_policy:
            actions |= _of("s3", "PutBucketPolicy DeleteBucketPolicy")
    if registration.use_stackset:
        actions |= _of("cloudformation", _STACKSET) | _of("organizations", _ORGANIZATION)
    return sorted(actions)


def deploying() -> list[str]:
    """The actions by which a payer deploys to its linked accounts."""
    return sorted(_of("cloudformation", _STACKSET))


def refused(aws: Aws, caller_arn: str, actions: Sequence[str]) -> list[str]:
    """Those of the actions that the caller may not use on all resources (IAM simulation).

    A policy that is limited to some resources may hold them unseen. The root user may everything.

    Raises:
        botocore.exceptions.ClientError: the caller may not be looked up or simulated.
    """
    if caller_arn.endswith(":root"):
        return []
    if session := _SESSION.fullmatch(caller_arn):
        caller_arn = aws.client("iam").get_role(RoleName=session[1])["Role"]["Arn"]
    return [result["EvalActionName"] for result in not_allowed(aws, caller_arn, actions)]


def _of(service: str, names: str) -> set[str]:
    return {f"{service}:{name}" for name in names.split()}
