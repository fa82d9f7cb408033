"""AWS::S3::BucketPolicy, set by PutBucketPolicy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Actor, CreatedResource, ResourceType
from orchestrator.sandbox.services.s3_policies import put_bucket_policy


def _put(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    bucket = properties["Bucket"]
    parameters = {"Policy": json.dumps(properties["PolicyDocument"])}
    put_bucket_policy(actor.state, actor.call("s3", "PutBucketPolicy", parameters, Bucket=bucket))
    return CreatedResource(bucket)


def _delete(actor: Actor, bucket: str) -> None:
    actor.call("s3", "DeleteBucketPolicy", {}, Bucket=bucket)
    actor.state.bucket_policies.pop(bucket, None)


RESOURCE_TYPE = ResourceType(
    type="AWS::S3::BucketPolicy",
    properties=frozenset({"Bucket", "PolicyDocument"}),
    replacement_properties=frozenset({"Bucket"}),
    identifiers=("Bucket",),
    create=_put,
    update=lambda actor, _bucket, properties: _put(actor, properties),
    delete=_delete,
)
