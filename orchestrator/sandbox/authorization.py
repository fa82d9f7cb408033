"""Authorize calls by identity policies, permissions boundaries and bucket policies."""

from __future__ import annotations

from orchestrator.sandbox.policy import AccessRequest, decide, parse_policy
from orchestrator.sandbox.state import PARTITION, SandboxState, bucket_owner, identity_policies
from orchestrator.sandbox.wire import Call, ServiceError

# Operations whose permission has another name than the operation
# (Service Authorization Reference, Amazon S3).
_S3_ACTIONS = {
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
_NO_PERMISSION_NEEDED = {
    "sts:GetCallerIdentity",
    "sts:AssumeRole",
}  # AssumeRole is decided by the trust policy: services/sts.py


def authorize(state: SandboxState, call: Call) -> None:
    """Check that the caller is allowed to make a call.

    Raises:
        ServiceError: AccessDenied, with the message that AWS gives.
    """
    action = f"{call.service}:{call.operation}"
    if action in _NO_PERMISSION_NEEDED:
        return
    if call.service == "s3":
        action = f"s3:{_S3_ACTIONS.get(call.operation, call.operation)}"
    request = AccessRequest(
        action,
        _resource(call),
        {"aws:SecureTransport": "true", "aws:PrincipalAccount": call.caller.account_id},
        {"AWS": call.caller.names},
    )
    if decision_for(state, call, request) != "allowed":
        raise ServiceError(
            "AccessDenied" if call.service in ("s3", "iam", "sts") else "AccessDeniedException",
            f"User: {call.caller.arn} is not authorized to perform: {action}"
            f" on resource: {request.resource}",
            403 if call.service in ("s3", "iam", "sts") else 400,
        )


def decision_for(state: SandboxState, call: Call, request: AccessRequest) -> str:
    """Combine identity policies, permissions boundary and, for S3, the bucket policy."""
    policies, boundary = identity_policies(
        call.caller.account_id, call.caller.kind, call.caller.name
    )
    by_identity = decide(policies, request)
    if boundary and by_identity == "allowed":
        by_identity = decide(boundary, request)
    bucket = call.uri.get("Bucket") if call.service == "s3" else None
    owner = bucket_owner(bucket) if bucket else None
    if bucket is None or owner is None:
        return by_identity
    if call.parameters.get("ExpectedBucketOwner", owner) != owner:
        return "explicitDeny"
    text = state.bucket_policies.get(bucket)
    by_bucket = (
        decide([parse_policy(text)], request, resource_policy=True) if text else "implicitDeny"
    )
    if "explicitDeny" in (by_identity, by_bucket):
        return "explicitDeny"
    if owner == call.caller.account_id:
        return "allowed" if "allowed" in (by_identity, by_bucket) else "implicitDeny"
    if call.operation == "CreateBucket":
        return by_identity  # another account owns the name: CreateBucket itself refuses it
    return "allowed" if by_identity == by_bucket == "allowed" else "implicitDeny"


def _resource(call: Call) -> str:
    if call.service == "s3" and call.uri.get("Bucket"):
        bucket = f"arn:{PARTITION}:s3:::{call.uri['Bucket']}"
        return f"{bucket}/{call.uri['Key']}" if call.uri.get("Key") else bucket
    if call.service == "iam" and call.parameters.get("RoleName"):
        name = call.parameters["RoleName"]
        return f"arn:{PARTITION}:iam::{call.caller.account_id}:role/{name}"
    return "*"
