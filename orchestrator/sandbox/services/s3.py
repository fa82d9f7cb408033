"""S3: bucket policies and whose a bucket is; the rest is moto's.

Policies are kept here because moto enforces them by rules of its own, which take every Deny on
``*`` to hold whatever its conditions say.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.policy import as_list, parse_policy
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.wire import Call, Fault
from orchestrator.sandbox.world import World, bucket_owner, s3

SERVICE = "s3"


def create_bucket(_world: World, call: Call) -> Any:
    """CreateBucket: names are global, and somebody else's stays theirs."""
    owner = bucket_owner(call.uri["Bucket"])
    if owner is not None and owner != call.caller.account_id:
        raise Fault(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all"
            " users of the system. Please select a different name and try again.",
            409,
        )
    return TO_MOTO


def put_bucket_policy(world: World, call: Call) -> Any:
    """PutBucketPolicy: each statement must be about this bucket and name somebody."""
    bucket = _existing(call)
    try:
        document = parse_policy(call.parameters["Policy"])
    except (ValueError, KeyError):
        raise Fault("MalformedPolicy", "Policies must be valid JSON") from None
    arn = f":s3:::{bucket}"
    for statement in as_list(document["Statement"]):
        if not {"Principal", "NotPrincipal"} & statement.keys():
            raise Fault("MalformedPolicy", "Missing required field Principal")
        for resource in as_list(statement.get("Resource", statement.get("NotResource", []))):
            if not (resource.endswith(arn) or f"{arn}/" in resource or resource == "*"):
                raise Fault("MalformedPolicy", "Policy has invalid resource")
    world.bucket_policies[bucket] = call.parameters["Policy"]
    return {}


def get_bucket_policy(world: World, call: Call) -> Any:
    """GetBucketPolicy."""
    bucket = _existing(call)
    if bucket not in world.bucket_policies:
        raise Fault("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
    return {"Policy": world.bucket_policies[bucket]}


def delete_bucket_policy(world: World, call: Call) -> Any:
    """DeleteBucketPolicy; deleting what is not there succeeds."""
    world.bucket_policies.pop(_existing(call), None)
    return {}


def delete_bucket(world: World, call: Call) -> Any:
    """DeleteBucket: its policy goes with it."""
    bucket = _existing(call)
    if not any(s3(call.caller.account_id).get_bucket(bucket).keys.values()):
        world.bucket_policies.pop(bucket, None)
    return TO_MOTO


def put_notification(world: World, call: Call) -> Any:
    """PutBucketNotificationConfiguration: moto forgets EventBridge, which has no settings."""
    world.notifications[_existing(call)] = call.parameters["NotificationConfiguration"]
    return {}


def get_notification(world: World, call: Call) -> Any:
    """GetBucketNotificationConfiguration."""
    return world.notifications.get(_existing(call), {})


def _existing(call: Call) -> str:
    bucket = str(call.uri["Bucket"])
    if bucket_owner(bucket) is None:
        raise Fault("NoSuchBucket", "The specified bucket does not exist", 404)
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
