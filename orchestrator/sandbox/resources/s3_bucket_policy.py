"""AWS::S3::BucketPolicy: the bucket's one policy, put as PutBucketPolicy puts it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Act, Kind, Made
from orchestrator.sandbox.services.s3 import put_bucket_policy


def _put(act: Act, properties: Mapping[str, Any]) -> Made:
    bucket = properties["Bucket"]
    parameters = {"Policy": json.dumps(properties["PolicyDocument"])}
    put_bucket_policy(act.world, act.call("s3", "PutBucketPolicy", parameters, Bucket=bucket))
    return Made(bucket)


def _delete(act: Act, bucket: str) -> None:
    act.call("s3", "DeleteBucketPolicy", {}, Bucket=bucket)
    act.world.bucket_policies.pop(bucket, None)


KIND = Kind(
    type="AWS::S3::BucketPolicy",
    properties=frozenset({"Bucket", "PolicyDocument"}),
    replaced_by=frozenset({"Bucket"}),
    create=_put,
    update=lambda act, _bucket, properties: _put(act, properties),
    delete=_delete,
)
