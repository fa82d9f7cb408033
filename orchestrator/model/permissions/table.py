"""The table of the AWS calls that each command makes: the only list of permissions.

``octo-tf policy`` prints policies from it, ``octo-tf doctor`` compares the caller with it, and
docs/reference/aws-permissions.md is generated from it. ``tests/policies`` runs each command, with
real Terraform, as a caller that has exactly these permissions, and finds no call that is denied
and no permission that is not used.

Sources: the sandbox's log of those runs; Service Authorization Reference for the resources and
condition keys of each action.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from orchestrator.model.permissions import cases, resources
from orchestrator.model.permissions.cases import Case
from orchestrator.model.permissions.resources import Limit, Resources

Step = Literal["plan", "verify", "apply", "upgrade", "destroy", "adopt", "backend"]
STEPS: tuple[Step, ...] = get_args(Step)


@dataclass(frozen=True)
class Calls:
    """Actions that commands call: ``iam:GetRole ListRolePolicies``, the service named once."""

    steps: frozenset[Step]
    names: str
    case: Case = cases.ALWAYS

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions, each with its service."""
        service, _, names = self.names.partition(":")
        return tuple(f"{service}:{name}" for name in names.split())


@dataclass(frozen=True)
class Entry:
    """A statement of policies: its Sid, its resources, its actions, its condition."""

    sid: str
    on: Resources
    calls: tuple[Calls, ...]
    limit: Limit = resources.NONE


def _steps(*names: Step) -> frozenset[Step]:
    return frozenset(names)


# An upgrade and an adoption apply octo.yaml as a whole: they need what apply needs.
APPLY = _steps("apply", "upgrade", "adopt")
ADOPT = _steps("adopt")
DESTROY = _steps("destroy")
CHANGE = APPLY | DESTROY
PLAN = APPLY | _steps("plan")
VERIFY = APPLY | _steps("verify")
TERRAFORM = PLAN | DESTROY
INSPECT = PLAN | VERIFY
EVERY = INSPECT | DESTROY
STATE = EVERY | _steps("backend")
LOCK = STATE - _steps("verify")
SAVE = LOCK - _steps("plan")

TABLE: tuple[Entry, ...] = (
    Entry(
        "ReadAccount",
        resources.ANYTHING,
        (
            Calls(EVERY, "organizations:DescribeOrganization"),
            Calls(
                EVERY,
                "organizations:ListInboundResponsibilityTransfers"
                " ListOutboundResponsibilityTransfers",
                cases.PAYER,
            ),
            Calls(EVERY, "organizations:ListRoots", cases.STACKSET),
            Calls(INSPECT, "cur:DescribeReportDefinitions", cases.REPORT),
            Calls(DESTROY, "cur:DescribeReportDefinitions", cases.NEW_REPORT),
            Calls(VERIFY, "cost-optimization-hub:ListEnrollmentStatuses", cases.RECOMMENDATIONS),
            Calls(VERIFY, "compute-optimizer:GetEnrollmentStatus", cases.RECOMMENDATIONS),
            Calls(PLAN, "cost-optimization-hub:ListEnrollmentStatuses", cases.ENROLMENT),
            Calls(PLAN, "compute-optimizer:GetEnrollmentStatus", cases.ENROLMENT),
            Calls(PLAN, "compute-optimizer:GetEnrollmentStatusesForOrganization", cases.MEMBERS),
            Calls(DESTROY, "cost-optimization-hub:ListEnrollmentStatuses", cases.END_ENROLMENT),
            Calls(DESTROY, "compute-optimizer:GetEnrollmentStatus", cases.END_ENROLMENT),
            Calls(VERIFY, "cost-optimization-hub:ListRecommendations", cases.RECOMMENDATIONS),
            Calls(VERIFY, "support:DescribeTrustedAdvisorChecks", cases.RECOMMENDATIONS),
            Calls(INSPECT, "cloudformation:DescribeOrganizationsAccess", cases.STACKSET),
            Calls(_steps("upgrade", "adopt"), "s3:ListAllMyBuckets", cases.REPORT),
            Calls(ADOPT, "iam:ListRoles"),
            Calls(ADOPT, "cloudformation:ListStackSets", cases.PAYER),
        ),
    ),
    Entry(
        "ReadOrganization",
        resources.ORGANIZATION,
        (
            Calls(
                EVERY,
                "organizations:ListAccountsForParent ListOrganizationalUnitsForParent",
                cases.STACKSET,
            ),
        ),
    ),
    Entry(
        "ReadRoles",
        resources.ROLES,
        (
            Calls(EVERY, "iam:GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies"),
            Calls(DESTROY, "iam:ListInstanceProfilesForRole"),
        ),
    ),
    Entry(
        "FindRoles",
        resources.OTHER_ROLES,
        (Calls(ADOPT, "iam:GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies"),),
    ),
    Entry("FindStacks", resources.OWNED, (Calls(ADOPT, "cloudformation:DescribeStackResources"),)),
    Entry(
        "SimulateRoles", resources.SIMULATED_ROLES, (Calls(VERIFY, "iam:SimulatePrincipalPolicy"),)
    ),
    Entry(
        "CreateRoles", resources.UNBOUNDED_ROLES, (Calls(APPLY, "iam:CreateRole"),), resources.TAGS
    ),
    Entry(
        "CreateBoundedRoles",
        resources.BOUNDED_ROLES,
        (Calls(APPLY, "iam:CreateRole"),),
        resources.BOUNDARY_AND_TAGS,
    ),
    Entry("GrantToRoles", resources.UNBOUNDED_ROLES, (Calls(APPLY, "iam:PutRolePolicy"),)),
    Entry(
        "GrantToBoundedRoles",
        resources.BOUNDED_ROLES,
        (Calls(APPLY, "iam:PutRolePermissionsBoundary PutRolePolicy"),),
        resources.BOUNDARY,
    ),
    Entry(
        "ChangeRoles",
        resources.ROLES,
        (
            Calls(
                APPLY,
                "iam:DetachRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole"
                " UpdateRoleDescription",
            ),
            Calls(CHANGE, "iam:DeleteRolePolicy"),
            Calls(DESTROY, "iam:DeleteRole"),
        ),
    ),
    Entry(
        "AttachPolicies",
        resources.ADDITIONAL_ROLES,
        (Calls(APPLY, "iam:AttachRolePolicy"), Calls(DESTROY, "iam:DetachRolePolicy")),
        resources.ADDITIONAL,
    ),
    Entry(
        "VerifyPolicies",
        resources.ADDITIONAL_POLICIES,
        (Calls(VERIFY, "iam:GetPolicy GetPolicyVersion"),),
    ),
    Entry(
        "CreatePolicies",
        resources.OWN_POLICIES,
        (Calls(APPLY, "iam:CreatePolicy"),),
        resources.TAGS,
    ),
    Entry(
        "Policies",
        resources.OWN_POLICIES,
        (
            Calls(TERRAFORM, "iam:GetPolicy GetPolicyVersion"),
            Calls(CHANGE, "iam:DeletePolicyVersion ListPolicyVersions"),
            Calls(APPLY, "iam:CreatePolicyVersion TagPolicy UntagPolicy"),
            Calls(DESTROY, "iam:DeletePolicy"),
        ),
    ),
    Entry(
        "ReadEnrolmentRoles",
        resources.READ_ENROLMENT_ROLES,
        (
            Calls(VERIFY, "iam:GetRole", cases.RECOMMENDATIONS),
            Calls(PLAN, "iam:GetRole", cases.ENROLMENT),
            Calls(DESTROY, "iam:GetRole", cases.END_ENROLMENT),
        ),
    ),
    Entry(
        "Enrol",
        resources.ANYTHING,
        (
            Calls(APPLY, "cost-optimization-hub:UpdateEnrollmentStatus", cases.ENROLMENT),
            Calls(APPLY, "compute-optimizer:UpdateEnrollmentStatus", cases.ENROLMENT),
            Calls(DESTROY, "cost-optimization-hub:UpdateEnrollmentStatus", cases.END_ENROLMENT),
            Calls(DESTROY, "compute-optimizer:UpdateEnrollmentStatus", cases.END_ENROLMENT),
        ),
    ),
    Entry(
        "EnableServices",
        resources.ANYTHING,
        (Calls(APPLY, "organizations:EnableAWSServiceAccess", cases.MEMBERS),),
        resources.ORGANIZATION_SERVICES,
    ),
    Entry(
        "CreateEnrolmentRoles",
        resources.ENROLMENT_ROLES,
        (Calls(APPLY, "iam:CreateServiceLinkedRole", cases.ENROLMENT),),
        resources.SERVICES,
    ),
    Entry(
        "DeleteEnrolmentRoles",
        resources.ENROLMENT_ROLES,
        (
            Calls(
                DESTROY,
                "iam:DeleteServiceLinkedRole GetServiceLinkedRoleDeletionStatus",
                cases.END_ENROLMENT,
            ),
        ),
    ),
    Entry(
        "Report",
        resources.REPORT,
        (
            Calls(PLAN, "cur:ListTagsForResource", cases.REPORT),
            Calls(DESTROY, "cur:ListTagsForResource", cases.NEW_REPORT),
            Calls(
                APPLY,
                "cur:ModifyReportDefinition PutReportDefinition TagResource UntagResource",
                cases.NEW_REPORT,
            ),
            Calls(DESTROY, "cur:DeleteReportDefinition", cases.NEW_REPORT),
        ),
    ),
    Entry(
        "CreateBucket",
        resources.BUCKET,
        (Calls(APPLY, "s3:CreateBucket", cases.NEW_BUCKET),),
        resources.BUCKET_REGION,
    ),
    Entry(
        "Bucket",
        resources.BUCKET,
        (
            Calls(VERIFY, "s3:ListBucket", cases.REPORT),
            Calls(PLAN, "s3:ListBucket", cases.NEW_REPORT),
            Calls(PLAN, "s3:GetBucketWebsite", cases.NEW_REPORT),
            Calls(DESTROY, "s3:GetBucketWebsite ListBucket", cases.EXISTING_BUCKET),
            Calls(
                VERIFY,
                "s3:GetBucketLocation GetBucketPolicy GetBucketPublicAccessBlock"
                " GetEncryptionConfiguration",
                cases.REPORT,
            ),
            Calls(PLAN, "s3:GetBucketLocation", cases.OF_ITS_OWNER),
            Calls(DESTROY, "s3:GetBucketLocation", cases.NEW_BUCKET),
            Calls(  # destroy plans without its own bucket, which stays
                PLAN,
                "s3:GetAccelerateConfiguration GetBucketAcl GetBucketCORS GetBucketLogging"
                " GetBucketNotification GetBucketObjectLockConfiguration"
                " GetBucketOwnershipControls GetBucketPolicy GetBucketPublicAccessBlock"
                " GetBucketRequestPayment GetBucketTagging GetBucketVersioning"
                " GetEncryptionConfiguration GetLifecycleConfiguration"
                " GetReplicationConfiguration",
                cases.NEW_BUCKET,
            ),
            Calls(
                APPLY,
                "s3:PutBucketNotification PutBucketOwnershipControls PutBucketPolicy"
                " PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning"
                " PutEncryptionConfiguration PutLifecycleConfiguration",
                cases.NEW_BUCKET,
            ),
            Calls(
                ADOPT,
                "s3:GetBucketNotification GetBucketOwnershipControls GetBucketTagging"
                " GetBucketVersioning GetLifecycleConfiguration",
                cases.EXISTING_BUCKET,
            ),
            Calls(PLAN, "s3:ListTagsForResource", cases.NEW_BUCKET & cases.PROVIDER_6),
            Calls(APPLY, "s3:TagResource UntagResource", cases.NEW_BUCKET & cases.PROVIDER_6),
            Calls(TERRAFORM, "s3:GetBucketPolicy", cases.MERGE),
            Calls(APPLY, "s3:PutBucketPolicy", cases.MERGE),
            Calls(DESTROY, "s3:DeleteBucket ListBucketVersions", cases.DELETE_BUCKET),
        ),
        resources.OWN_BUCKET,
    ),
    Entry(  # adopt looks for it, whatever octo.yaml is going to name
        "FindBucket",
        resources.DEFAULT_BUCKET,
        (Calls(ADOPT, "s3:ListBucket", cases.EXISTING_BUCKET),),
    ),
    Entry(
        "ReadObjects",
        resources.REPORT_OBJECTS,
        (Calls(VERIFY, "s3:GetObject", cases.REPORT),),
        resources.OWN_BUCKET,
    ),
    Entry(
        "DeleteObjects",
        resources.OBJECTS,
        (Calls(DESTROY, "s3:DeleteObject DeleteObjectVersion", cases.DELETE_DATA),),
        resources.OWN_BUCKET,
    ),
    Entry(
        "ReadKey",
        resources.BUCKET_KEY,
        (Calls(VERIFY, "kms:DescribeKey GetKeyPolicy", cases.OF_ITS_OWNER),),
    ),
    Entry(
        "Decrypt",
        resources.BUCKET_KEY,
        (Calls(VERIFY, "kms:Decrypt", cases.OF_ITS_OWNER),),
        resources.BY_S3,
    ),
    Entry(
        "EnableAccess",
        resources.ANYTHING,
        (Calls(APPLY, "cloudformation:ActivateOrganizationsAccess", cases.ENABLE_ACCESS),),
        resources.REGION,
    ),
    Entry(
        "CreateStackSet",
        resources.ANYTHING,
        (Calls(APPLY, "cloudformation:CreateStackSet", cases.STACKSET),),
        resources.REGION,
    ),
    Entry(
        "FindStackSets",
        resources.STACKSETS,
        (Calls(ADOPT, "cloudformation:DescribeStackSet ListStackInstances", cases.PAYER),),
    ),
    Entry(
        "StackSet",
        resources.STACKSET,
        (
            Calls(EVERY, "cloudformation:DescribeStackSet ListStackInstances", cases.STACKSET),
            Calls(VERIFY | DESTROY, "cloudformation:ListStackSetOperations", cases.STACKSET),
            Calls(
                CHANGE,
                "cloudformation:DescribeStackSetOperation ListStackSetOperationResults",
                cases.STACKSET,
            ),
            Calls(APPLY, "cloudformation:TagResource UntagResource", cases.STACKSET & cases.TAGS),
            Calls(DESTROY, "cloudformation:DeleteStackSet", cases.STACKSET),
        ),
    ),
    Entry(
        "Deploy",
        resources.DEPLOYMENT,
        (
            Calls(
                APPLY,
                "cloudformation:CreateStackInstances UpdateStackInstances UpdateStackSet",
                cases.STACKSET,
            ),
            Calls(CHANGE, "cloudformation:DeleteStackInstances", cases.STACKSET),
        ),
    ),
    Entry(
        "ReleaseStacks",
        resources.RELEASED_STACKS,
        (
            Calls(
                ADOPT,
                "cloudformation:DeleteStack DescribeStacks GetTemplate UpdateStack",
            ),
        ),
    ),
    Entry(
        "RemoveRoles",
        resources.REMOVED_ROLES,
        (
            Calls(
                ADOPT,
                "iam:DeleteRole DeleteRolePolicy DetachRolePolicy ListInstanceProfilesForRole",
            ),
        ),
    ),
    Entry("StateBucket", resources.STATE_BUCKET, (Calls(STATE, "s3:ListBucket"),)),
    Entry("State", resources.STATE, (Calls(STATE, "s3:GetObject"), Calls(SAVE, "s3:PutObject"))),
    Entry("LockState", resources.STATE_LOCK, (Calls(LOCK, "s3:DeleteObject GetObject PutObject"),)),
    Entry(
        "StateKey",
        resources.STATE_KEY,
        (Calls(STATE, "kms:Decrypt"), Calls(LOCK, "kms:GenerateDataKey")),
        resources.STATE_BY_S3,
    ),
)
