"""AWS::S3::Bucket, with the settings that a report's bucket has."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from orchestrator.sandbox.resources import Act, Kind, Made, ResourceError, exists_already
from orchestrator.sandbox.world import PARTITION, bucket_owner, s3

_TYPE = "AWS::S3::Bucket"


def _create(act: Act, properties: Mapping[str, Any]) -> Made:
    name = properties.get("BucketName") or f"bucket-{uuid.uuid4().hex[:12]}"
    act.call("s3", "CreateBucket", {}, Bucket=name)
    owner = bucket_owner(name)
    if owner is not None:
        raise exists_already(_TYPE, name, str(uuid.uuid4()))
    s3(act.account_id).create_bucket(name, act.region)
    return _settle(act, name, properties)


def _settle(act: Act, name: str, properties: Mapping[str, Any]) -> Made:
    """Everything but the name is set in place."""
    own = s3(act.account_id)
    act.call("s3", "PutBucketTagging", {}, Bucket=name)
    if blocked := properties.get("PublicAccessBlockConfiguration"):
        own.put_public_access_block(name, {k: str(v).lower() for k, v in blocked.items()})
    if versioning := properties.get("VersioningConfiguration"):
        own.put_bucket_versioning(name, versioning["Status"])
    if ownership := properties.get("OwnershipControls"):
        own.put_bucket_ownership_controls(name, ownership["Rules"][0]["ObjectOwnership"])
    if encryption := properties.get("BucketEncryption"):
        own.put_bucket_encryption(name, {"Rule": _encryption(encryption)})
    if lifecycle := properties.get("LifecycleConfiguration"):
        own.put_bucket_lifecycle(name, [_rule(rule) for rule in lifecycle["Rules"]])
    own.put_bucket_tagging(name, {t["Key"]: t["Value"] for t in properties.get("Tags", [])})
    notified = properties.get("NotificationConfiguration", {}).get("EventBridgeConfiguration")
    if notified is not None:
        act.world.notifications[name] = {"EventBridgeConfiguration": {}}
    return Made(name, {"Arn": f"arn:{PARTITION}:s3:::{name}", "DomainName": f"{name}.s3"})


def _encryption(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The property has ServerSideEncryptionByDefault where the API has Apply...ByDefault."""
    (rule,) = configuration["ServerSideEncryptionConfiguration"]
    return {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A lifecycle rule as the API has it."""
    made: dict[str, Any] = {"ID": rule.get("Id"), "Status": rule["Status"], "Filter": {}}
    if old := rule.get("NoncurrentVersionExpiration"):
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": str(old["NoncurrentDays"])}
    if unfinished := rule.get("AbortIncompleteMultipartUpload"):
        days = str(unfinished["DaysAfterInitiation"])
        made["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return made


def _delete(act: Act, name: str) -> None:
    act.call("s3", "DeleteBucket", {}, Bucket=name)
    if bucket_owner(name) != act.account_id:
        return
    if any(s3(act.account_id).get_bucket(name).keys.values()):
        raise ResourceError(
            'Resource handler returned message: "The bucket you tried to delete is not empty'
            ' (Service: S3, Status Code: 409)"'
        )
    act.world.bucket_policies.pop(name, None)
    s3(act.account_id).delete_bucket(name)


KIND = Kind(
    type=_TYPE,
    properties=frozenset(
        {
            *("BucketName", "PublicAccessBlockConfiguration", "VersioningConfiguration"),
            *("OwnershipControls", "BucketEncryption", "LifecycleConfiguration", "Tags"),
            "NotificationConfiguration",
        }
    ),
    replaced_by=frozenset({"BucketName"}),
    create=_create,
    update=_settle,
    delete=_delete,
)
