"""Authorize calls by the policies of the caller, of its organization, and of buckets and keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from orchestrator.sandbox import services
from orchestrator.sandbox.authorized_resources import (
    dependent_permissions,
    key_of,
    resource_of,
    resources_of,
    shown_resource,
)
from orchestrator.sandbox.encryption import (
    check_state,
    is_of_aws,
    key_of_call,
    may_use_key,
    on_key,
)
from orchestrator.sandbox.organization_policies import (
    RESOURCE,
    SERVICE,
    binds,
    decide_for_account,
)
from orchestrator.sandbox.policy import (
    AccessRequest,
    Decision,
    PolicySet,
    decide,
    decide_all,
    parse_policy,
)
from orchestrator.sandbox.request_context import context_of, organization_of
from orchestrator.sandbox.resource_tags import resource_tags
from orchestrator.sandbox.services import Permission
from orchestrator.sandbox.state import (
    Caller,
    SandboxState,
    bucket_owner,
    identity_policies,
)
from orchestrator.sandbox.wire import Call, ServiceError

# Operations whose permission has another name than the operation
# (Service Authorization Reference, Amazon S3).
S3_ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "DeleteBucketInventoryConfiguration": "PutInventoryConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetricsConfiguration": "PutMetricsConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketAnalyticsConfiguration": "GetAnalyticsConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketIntelligentTieringConfiguration": "GetIntelligentTieringConfiguration",
    "GetBucketInventoryConfiguration": "GetInventoryConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetricsConfiguration": "GetMetricsConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBucketAnalyticsConfigurations": "GetAnalyticsConfiguration",
    "ListBucketIntelligentTieringConfigurations": "GetIntelligentTieringConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
    "ListBucketMetricsConfigurations": "GetMetricsConfiguration",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketAnalyticsConfiguration": "PutAnalyticsConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketIntelligentTieringConfiguration": "PutIntelligentTieringConfiguration",
    "PutBucketInventoryConfiguration": "PutInventoryConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketMetricsConfiguration": "PutMetricsConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# The permissions on a version of an object, by those on an object.
_OF_VERSION = {
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
}
_IN_XML = {"s3", "s3control", "iam", "sts", "cloudformation", "cloudwatch"}
_S3CONTROL_ACTIONS = {
    "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
    "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
}
# The prefix of a service's actions, where it differs from botocore's name of the service.
_PREFIXES = {
    "accessanalyzer": "access-analyzer",
    "efs": "elasticfilesystem",
    **dict.fromkeys(("elb", "elbv2"), "elasticloadbalancing"),
    "emr": "elasticmapreduce",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "service-quotas": "servicequotas",
    "sso-admin": "sso",
    "stepfunctions": "states",
}
_NO_PERMISSION_NEEDED = {
    "sts:GetCallerIdentity",
    "sts:GetSessionToken",
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
}  # AssumeRole is decided by the trust policy: services/sts.py
# What S3 asks KMS for where a bucket is encrypted with a key of KMS.
_KEY_ACTIONS = {
    "s3:GetObject": "kms:Decrypt",
    "s3:GetObjectVersion": "kms:Decrypt",
    "s3:PutObject": "kms:GenerateDataKey",
}
_RESOURCE = "resource-based policy"
# How AWS words a denial, by the kind of policy that decided.
_DENIED = " with an explicit deny in {article} {kind}"
_NOT_ALLOWED = " because no {kind} allows the {action} action"


@dataclass(frozen=True)
class Verdict:
    """How a call was decided.

    Attributes:
        decision: by all policies together.
        kind: the kind of policy that decided.
        policy_arn: the policy of an organization that denied it.
        has_reason: whether the denial says why, as S3 does only within an account or organization.
    """

    decision: Decision
    kind: str = ""
    policy_arn: str = ""
    has_reason: bool = True

    def reason(self, action: str) -> str:
        """Word the denial as AWS does."""
        if self.decision == "explicitDeny":
            article = "an" if self.kind[:1] in "aeiou" else "a"
            named = f": {self.policy_arn}" if self.policy_arn else ""
            return _DENIED.format(article=article, kind=self.kind) + named
        return _NOT_ALLOWED.format(kind=self.kind, action=action)


def authorize(state: SandboxState, call: Call) -> None:
    """Check that the caller is allowed to make a call.

    Raises:
        ServiceError: AccessDenied, with the message that AWS gives.
    """
    action = f"{call.service}:{call.operation}"
    if action in _NO_PERMISSION_NEEDED:
        return
    if call.service == "s3":
        _check_expected_owner(call)
        action = S3_ACTIONS.get(call.operation, call.operation)
        if call.parameters.get("VersionId"):
            action = _OF_VERSION.get(action, action)
        action = f"s3:{action}"
    elif call.service in _PREFIXES:
        action = _S3CONTROL_ACTIONS.get(call.operation, call.operation)
        action = f"{_PREFIXES[call.service]}:{action}"
    named = services.permissions_of(state, call)
    if not any(permission.action == action for permission in named):
        named[:0] = [Permission(action, arn) for arn in resources_of(state, call)]
    named += [Permission(*further) for further in dependent_permissions(state, call)]
    context = {**context_of(call), **resource_tags(state, call)}
    for needed in named:
        request = AccessRequest(
            needed.action,
            needed.resource,
            {**context, **needed.context},
            {"AWS": call.caller.names},
        )
        verdict = verdict_for(state, call, request)
        state.accesses.note(call.caller.arn, request, verdict.decision)
        _require(call, request, verdict)
        if request.action in _KEY_ACTIONS:
            _authorize_key(state, call, request)


def _authorize_key(state: SandboxState, call: Call, request: AccessRequest) -> None:
    """Check that the caller may use the KMS key of an object that a call reads or writes."""
    key = key_of_call(call, request.action, request.resource)
    if key is None:
        return
    context = {
        **request.context,
        "kms:CallerAccount": call.caller.account_id,
        "kms:EncryptionContext:aws:s3:arn": request.resource,
        "kms:EncryptionContextKeys": ["aws:s3:arn"],
    }
    asked = replace(request, action=_KEY_ACTIONS[request.action], context=context)
    use = on_key(asked, key)
    verdict = Verdict(may_use_key(key, use, call.caller), _RESOURCE)
    by_identity = identity_verdict(call.caller, use)
    if not is_of_aws(key):
        state.accesses.note(call.caller.arn, use, verdict.decision)
    _require(call, use, by_identity if by_identity.decision == verdict.decision else verdict)
    check_state(key, "KMS.")


def authorize_by_organization(state: SandboxState, call: Call) -> None:
    """Check that the organization's policies allow a call of the StackSets' execution role.

    Raises:
        ServiceError: AccessDenied, with the message that AWS gives.
    """
    if not binds(SERVICE, call.caller.account_id):
        return  # the context of a request takes long to find in a large organization
    request = AccessRequest(
        f"{call.service}:{call.operation}",
        resource_of(state, call),
        context_of(call),
        {"AWS": call.caller.names},
    )
    _require(call, request, _by_organization(SERVICE, call.caller.account_id, request))


def _by_organization(kind: str, account_id: str, request: AccessRequest) -> Verdict:
    found = decide_for_account(kind, account_id, request)
    named = "service control policy" if kind == SERVICE else "resource control policy"
    return Verdict(found.decision, named, found.policy_arn)


def _require(call: Call, request: AccessRequest, verdict: Verdict) -> None:
    if verdict.decision == "allowed":
        return
    if not verdict.has_reason:
        raise ServiceError("AccessDenied", "Access Denied", 403)
    shown = shown_resource(call, request.action, request.resource)
    shown = f'"{shown}"' if request.action.startswith("s3:") else shown
    on_resource = f" on resource: {shown}"
    if request.resource == "*" and call.service in _WITHOUT_RESOURCE:
        on_resource = ""
    text = (
        f"User: {call.caller.arn} is not authorized to perform: {request.action}{on_resource}"
        f"{verdict.reason(request.action)}"
    )
    if call.service == "ec2":
        text = f"You are not authorized to perform this operation. {text}"
        raise ServiceError("UnauthorizedOperation", text, 403)
    in_xml = call.service in _IN_XML
    raise ServiceError(
        "AccessDenied" if in_xml else "AccessDeniedException",
        text,
        403 if in_xml or call.service == "account" else 400,  # which is REST, with JSON
    )


# The services that do not name "*", as users quote them.
_WITHOUT_RESOURCE = ("cloudformation", "ec2", "kms", "s3", "sts")


def _check_expected_owner(call: Call) -> None:
    bucket, expected = call.uri.get("Bucket"), call.parameters.get("ExpectedBucketOwner")
    if not bucket or expected is None:
        return
    if not re.fullmatch(r"\d{12}", expected):
        raise ServiceError(
            "InvalidBucketOwnerAWSAccountID",
            "The value of the expected bucket owner parameter must be an AWS Account ID..."
            f" [{expected}]",
        )
    if bucket_owner(bucket) not in (None, expected):
        raise ServiceError("AccessDenied", "Access Denied", 403)


def verdict_for(state: SandboxState, call: Call, request: AccessRequest) -> Verdict:
    """Combine the policies of caller, bucket and organization; an explicit deny wins.

    Source: IAM User Guide, "Policy evaluation logic".
    """
    caller = call.caller
    bucket = call.uri.get("Bucket") if call.service == "s3" else None
    if bucket:  # a copy reads another one
        bucket = request.resource.partition(":::")[2].partition("/")[0]
    if call.service == "s3control":
        bucket = call.parameters.get("ResourceArn", "").rpartition(":::")[2]
    owner = bucket_owner(bucket) if bucket else None
    if owner is not None:
        verdict = _by_organization(RESOURCE, owner, request)
        if verdict.decision != "allowed":
            return verdict
    if not caller.path.startswith("/aws-service-role/"):
        verdict = _by_organization(SERVICE, caller.account_id, request)
        if verdict.decision != "allowed":
            return verdict
    by_identity = identity_verdict(caller, request)
    key = key_of(call)
    if key is not None and not is_of_aws(key) and request.action.startswith("kms:"):
        decision = _with_resource(caller, request, key.policy, key.account_id, decides=True)
        return by_identity if by_identity.decision == decision else Verdict(decision, _RESOURCE)
    if bucket is None or owner is None or call.operation == "CreateBucket":
        # A name that another account has taken is refused by CreateBucket itself.
        return by_identity
    decision = _with_resource(caller, request, state.bucket_policies.get(bucket), owner)
    kind = by_identity.kind if by_identity.decision == decision else _RESOURCE
    return Verdict(decision, kind, has_reason=_is_near(caller.account_id, owner))


def _with_resource(
    caller: Caller, request: AccessRequest, text: str | None, owner: str, *, decides: bool = False
) -> Decision:
    """Decide by the caller's policies and the policy of a resource.

    Args:
        caller: whose policies count.
        request: the request.
        text: the policy of the resource; None without one.
        owner: the account of the resource.
        decides: whether the resource's policy must allow, as a key's.
    """
    policies, boundary = identity_policies(caller.account_id, caller.kind, caller.name)
    return decide_all(
        PolicySet(
            policies,
            boundary,
            parse_policy(text) if text else None,
            session=list(caller.session_policies),
            resource_decides=decides,
        ),
        request,
        same_account=caller.account_id == owner,
    )


def _is_near(account_id: str, other: str) -> bool:
    """Whether two accounts are one, or in one organization."""
    own = organization_of(account_id)
    return account_id == other or (own is not None and own is organization_of(other))


def identity_verdict(caller: Caller, request: AccessRequest) -> Verdict:
    """Decide by the policies of a user or role, its boundary, and the session's own policies."""
    policies, boundary = identity_policies(caller.account_id, caller.kind, caller.name)
    verdicts = [
        Verdict(decide(documents, request), kind)
        for kind, documents in (
            ("identity-based policy", policies),
            ("permissions boundary", boundary),
            ("session policy", list(caller.session_policies)),
        )
        if documents or kind == "identity-based policy"
    ]
    denying = [v for v in verdicts if v.decision == "explicitDeny"]
    denying += [v for v in verdicts if v.decision == "implicitDeny"]
    return denying[0] if denying else verdicts[0]
