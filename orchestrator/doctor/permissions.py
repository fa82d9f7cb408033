"""The IAM actions that octo-tf and Terraform's provider call in an account, by what is chosen.

Found by running everything on the sandbox, whose authorization names what is denied, with a
caller that has these and nothing else (``tests/e2e/test_doctor.py`` keeps it so).
"""

from __future__ import annotations

from orchestrator.config.model import Registration
from orchestrator.engine.outputs import AccountType

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


def _of(service: str, names: str) -> set[str]:
    return {f"{service}:{name}" for name in names.split()}
