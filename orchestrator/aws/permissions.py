"""The IAM actions that a run needs by its settings, and those that the caller is denied.

The lists are complete: ``tests/e2e/test_doctor.py`` runs octo-tf on the sandbox, which enforces
IAM policies, as a caller that has these actions and no others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.aws.billing_transfers import ACTIONS as BILLING_TRANSFERS
from orchestrator.aws.iam import get_role, simulate
from orchestrator.aws.session import Aws
from orchestrator.model.account import AccountType
from orchestrator.model.enrolment import SERVICES
from orchestrator.model.module_contract.features import enrolments
from orchestrator.model.registration import Registration

# An assumed role's session, which IAM cannot simulate; its ARN lacks the role's path.
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
_READ_REPORT = "DescribeReportDefinitions ListTagsForResource"
_WRITE_REPORT = """
DeleteReportDefinition ModifyReportDefinition PutReportDefinition TagResource UntagResource
"""
_READ_BUCKET = """
GetBucketLocation GetBucketPolicy GetBucketPublicAccessBlock GetEncryptionConfiguration GetObject
ListBucket
"""
# ListTagsForResource, TagResource and UntagResource: S3 Control's, by version 6 of the provider
# since 6.23; a role without them that was sufficient for version 5 is denied there.
_OWN_BUCKET = """
CreateBucket DeleteBucket DeleteBucketPolicy GetAccelerateConfiguration GetBucketAcl GetBucketCORS
GetBucketLogging GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls
GetBucketRequestPayment GetBucketTagging GetBucketVersioning GetBucketWebsite
GetLifecycleConfiguration GetReplicationConfiguration
PutBucketNotification PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock
ListTagsForResource PutBucketTagging PutBucketVersioning PutEncryptionConfiguration
PutLifecycleConfiguration TagResource UntagResource
"""

_STACKSET = """
ActivateOrganizationsAccess CreateStackInstances CreateStackSet DeleteStackInstances DeleteStackSet
DescribeOrganizationsAccess DescribeStackSet DescribeStackSetOperation ListStackInstances
ListStackSetOperationResults ListStackSetOperations TagResource UntagResource UpdateStackInstances
UpdateStackSet
"""
_ORGANIZATION = "ListAccountsForParent ListOrganizationalUnitsForParent ListRoots"


def needed(registration: Registration, account_type: AccountType) -> list[str]:
    """List the actions that a run needs, sorted, like ``iam:CreateRole``."""
    actions = _of("iam", _ROLE) | {"organizations:DescribeOrganization"}
    executes = "execution" in (registration.features or [])
    if executes or registration.permissions_boundary:
        actions |= _of("iam", _BOUNDARY)
    if executes:
        actions |= _of("iam", _POLICY)
    actions |= _enrolling(registration)
    if "recommendations" in (registration.features or []):
        actions |= {"cost-optimization-hub:ListRecommendations"}
        actions |= {"support:DescribeTrustedAdvisorChecks"}
    if account_type != "linked":
        actions |= _of("s3", _READ_BUCKET)
        if registration.cur_report_option == "USE_EXISTING":
            actions |= _of("cur", _READ_REPORT)
        else:
            actions |= _of("cur", f"{_READ_REPORT} {_WRITE_REPORT}")
            actions |= _of("s3", _write_bucket(registration))
    if account_type == "payer":
        actions |= {*BILLING_TRANSFERS}
    if registration.use_stackset:
        actions |= _of("cloudformation", _STACKSET) | _of("organizations", _ORGANIZATION)
    return sorted(actions)


def _enrolling(registration: Registration) -> set[str]:
    """The actions that enrol the account, or only read whether it is enrolled."""
    names = enrolments(registration.features or ())
    actions = {action for name in names for action in SERVICES[name].reads[:1]}
    if not names or registration.enrolment == "none":
        return actions
    actions |= {"iam:CreateServiceLinkedRole"}
    actions |= {action for name in names for action in SERVICES[name].writes}
    if registration.enrolment == "organization":
        actions |= {"organizations:EnableAWSServiceAccess"}
        actions |= {action for name in names for action in SERVICES[name].reads}
    return actions


def _write_bucket(registration: Registration) -> str:
    if registration.cur_s3_bucket_option != "USE_EXISTING":
        return _OWN_BUCKET
    return "PutBucketPolicy DeleteBucketPolicy" if registration.cur_s3_bucket_merge_policy else ""


def deploying() -> list[str]:
    """List the actions by which a payer deploys to its linked accounts."""
    return sorted(_of("cloudformation", _STACKSET))


def denied_actions(aws: Aws, caller_arn: str, actions: Sequence[str]) -> list[str]:
    """List the actions that the caller is denied on all resources (IAM simulation).

    A caller whose policy allows an action on some resources only is listed with it. The root user
    is allowed everything.

    Raises:
        ServiceError: the caller's role may not be read, or may not be simulated.
    """
    if caller_arn.endswith(":root"):
        return []
    if (session := _SESSION.fullmatch(caller_arn)) and (role := get_role(aws, session[1])):
        caller_arn = role.arn
    return list(simulate(aws, caller_arn, tuple(actions)))


def _of(service: str, names: str) -> set[str]:
    return {f"{service}:{name}" for name in names.split()}
