"""S3: the policies of buckets.

They are stored here because moto's own evaluation applies every Deny on ``*``, whatever its
conditions are. Source: S3 API Reference; S3 User Guide, "The meaning of public".
"""

from __future__ import annotations

import json
from typing import Any

from orchestrator.sandbox import bucket_policy, policy_grammar, principals
from orchestrator.sandbox.public_access import is_blocked
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import PARTITION, SandboxState, bucket_owner
from orchestrator.sandbox.wire import Call, ServiceError, no_such_bucket

SERVICE = "s3"


def put_bucket_policy(state: SandboxState, call: Call) -> Any:
    """PutBucketPolicy: validated, and refused if it is public and public policies are blocked."""
    bucket = call.uri["Bucket"]
    if bucket_owner(bucket) is None:  # CloudFormation puts policies, too
        raise no_such_bucket(bucket)
    document = bucket_policy.parse(state, bucket, call.parameters.get("Policy", ""))
    if bucket_policy.is_public(document) and is_blocked(bucket, "BlockPublicPolicy"):
        raise ServiceError(
            "AccessDenied",
            f"User: {call.caller.arn} is not authorized to perform: s3:PutBucketPolicy on"
            f' resource: "arn:{PARTITION}:s3:::{bucket}" because public policies are prevented by'
            " the BlockPublicPolicy setting in S3 Block Public Access.",
            403,
        )
    text = call.parameters["Policy"]
    is_changed = "Version" not in document
    document = {"Version": policy_grammar.VERSIONS[0], **document}
    if principals.saved(state, document, ("bucket", "", bucket)) or is_changed:
        text = json.dumps(document)
    state.bucket_policies[bucket] = text
    return {}


def get_bucket_policy(state: SandboxState, call: Call) -> Any:
    """GetBucketPolicy."""
    return {"Policy": _policy_of(state, call.uri["Bucket"])}


def get_status(state: SandboxState, call: Call) -> Any:
    """GetBucketPolicyStatus."""
    document = json.loads(_policy_of(state, call.uri["Bucket"]))
    return {"PolicyStatus": {"IsPublic": bucket_policy.is_public(document)}}


def _policy_of(state: SandboxState, bucket: str) -> str:
    if bucket not in state.bucket_policies:
        raise ServiceError(
            "NoSuchBucketPolicy", "The bucket policy does not exist", 404, BucketName=bucket
        )
    return state.bucket_policies[bucket]


def delete_bucket_policy(state: SandboxState, call: Call) -> Any:
    """DeleteBucketPolicy: deleting a policy that does not exist succeeds."""
    state.bucket_policies.pop(call.uri["Bucket"], None)
    return {}


OPERATIONS: dict[str, Operation] = {
    "DeleteBucketPolicy": delete_bucket_policy,
    "GetBucketPolicy": get_bucket_policy,
    "GetBucketPolicyStatus": get_status,
    "PutBucketPolicy": put_bucket_policy,
}
