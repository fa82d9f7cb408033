"""S3: whether the tags of a bucket count in policies.

Source: S3 API Reference, PutBucketAbac, GetBucketAbac: disabled for a new bucket.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.resource_tags import buckets_with_abac
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call

SERVICE = "s3"


def put(state: SandboxState, call: Call) -> dict[str, Any]:
    """PutBucketAbac."""
    buckets, bucket = buckets_with_abac(state), call.uri["Bucket"]
    if call.parameters["AbacStatus"].get("Status") == "Enabled":
        buckets.add(bucket)
    else:
        buckets.discard(bucket)
    return {}


def get(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetBucketAbac."""
    is_enabled = call.uri["Bucket"] in buckets_with_abac(state)
    return {"AbacStatus": {"Status": "Enabled" if is_enabled else "Disabled"}}


OPERATIONS: dict[str, Operation] = {"GetBucketAbac": get, "PutBucketAbac": put}
