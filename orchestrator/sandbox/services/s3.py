"""S3: bucket policies, bucket names and notifications; the rest is moto's.

Policies are stored here because moto's own evaluation applies every Deny on ``*``, whatever its
conditions are.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.policy import as_list, parse_policy
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"


def create_bucket(_state: SandboxState, call: Call) -> Any:
    """CreateBucket: names are global; a name of another account is refused."""
    owner = bucket_owner(call.uri["Bucket"])
    if owner is not None and owner != call.caller.account_id:
        raise ServiceError(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all"
            " users of the system. Please select a different name and try again.",
            409,
        )
    return TO_MOTO


def put_bucket_policy(state: SandboxState, call: Call) -> Any:
    """PutBucketPolicy: each statement must have this bucket as resource, and a principal."""
    bucket = _existing(call)
    try:
        document = parse_policy(call.parameters["Policy"])
    except (ValueError, KeyError):
        raise ServiceError("MalformedPolicy", "Policies must be valid JSON") from None
    arn = f":s3:::{bucket}"
    for statement in as_list(document["Statement"]):
        if not {"Principal", "NotPrincipal"} & statement.keys():
            raise ServiceError("MalformedPolicy", "Missing required field Principal")
        for resource in as_list(statement.get("Resource", statement.get("NotResource", []))):
            if not (resource.endswith(arn) or f"{arn}/" in resource or resource == "*"):
                raise ServiceError("MalformedPolicy", "Policy has invalid resource")
    state.bucket_policies[bucket] = call.parameters["Policy"]
    return {}


def get_bucket_policy(state: SandboxState, call: Call) -> Any:
    """GetBucketPolicy."""
    bucket = _existing(call)
    if bucket not in state.bucket_policies:
        raise ServiceError("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
    return {"Policy": state.bucket_policies[bucket]}


def delete_bucket_policy(state: SandboxState, call: Call) -> Any:
    """DeleteBucketPolicy: deleting a policy that does not exist succeeds."""
    state.bucket_policies.pop(_existing(call), None)
    return {}


def delete_bucket(state: SandboxState, call: Call) -> Any:
    """DeleteBucket: its policy and notifications go, too."""
    bucket = _existing(call)
    if not any(s3(call.caller.account_id).get_bucket(bucket).keys.values()):
        state.bucket_policies.pop(bucket, None)
        state.notifications.pop(bucket, None)
    return TO_MOTO


def put_notification(state: SandboxState, call: Call) -> Any:
    """PutBucketNotificationConfiguration: moto would lose EventBridge's empty settings."""
    state.notifications[_existing(call)] = call.parameters["NotificationConfiguration"]
    return {}


def get_notification(state: SandboxState, call: Call) -> Any:
    """GetBucketNotificationConfiguration."""
    return state.notifications.get(_existing(call), {})


def _existing(call: Call) -> str:
    bucket = str(call.uri["Bucket"])
    if bucket_owner(bucket) is None:
        raise ServiceError("NoSuchBucket", "The specified bucket does not exist", 404)
    return bucket


OPERATIONS: dict[str, Operation] = {
    "CreateBucket": create_bucket,
    "DeleteBucket": delete_bucket,
    "DeleteBucketPolicy": delete_bucket_policy,
    "GetBucketNotificationConfiguration": get_notification,
    "GetBucketPolicy": get_bucket_policy,
    "PutBucketNotificationConfiguration": put_notification,
    "PutBucketPolicy": put_bucket_policy,
}
