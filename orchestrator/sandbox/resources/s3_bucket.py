"""AWS::S3::Bucket, with the properties that a report's bucket needs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator.sandbox.resources import (
    Actor,
    CreatedResource,
    ResourceError,
    ResourceType,
    already_exists,
)
from orchestrator.sandbox.services.s3 import create_bucket, set_defaults
from orchestrator.sandbox.services.s3_lifecycle import put_lifecycle
from orchestrator.sandbox.state import PARTITION, bucket_owner, s3

_TYPE = "AWS::S3::Bucket"
_ATTRIBUTES = frozenset(
    {"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"}
)


def _create(actor: Actor, properties: Mapping[str, Any]) -> CreatedResource:
    name = properties.get("BucketName") or actor.new_name.lower()[-63:].lstrip("-")
    elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": actor.region}}
    parameters = {} if actor.region == "us-east-1" else elsewhere
    call = actor.call("s3", "CreateBucket", parameters, Bucket=name)
    owner = bucket_owner(name)
    if owner is not None:
        raise already_exists(_TYPE, name, str(uuid.uuid4()))
    create_bucket(actor.state, call)  # which checks its name
    s3(actor.account_id).create_bucket(name, actor.region)
    set_defaults(actor.account_id, name)
    return _configure(actor, name, properties)


def _configure(actor: Actor, name: str, properties: Mapping[str, Any]) -> CreatedResource:
    """Set every property but the name."""
    own = s3(actor.account_id)
    call = actor.call("s3", "PutBucketTagging", {}, Bucket=name)
    if blocked := properties.get("PublicAccessBlockConfiguration"):
        own.put_public_access_block(name, {k: str(v).lower() for k, v in blocked.items()})
    if versioning := properties.get("VersioningConfiguration"):
        own.put_bucket_versioning(name, versioning["Status"])
    if ownership := properties.get("OwnershipControls"):
        own.put_bucket_ownership_controls(name, ownership["Rules"][0]["ObjectOwnership"])
    if encryption := properties.get("BucketEncryption"):
        own.put_bucket_encryption(name, {"Rule": _encryption(encryption)})
    if lifecycle := properties.get("LifecycleConfiguration"):
        rules = [_rule(rule) for rule in lifecycle["Rules"]]
        put_lifecycle(
            actor.state, replace(call, parameters={"LifecycleConfiguration": {"Rules": rules}})
        )
    own.put_bucket_tagging(name, {t["Key"]: t["Value"] for t in properties.get("Tags", [])})
    notified = properties.get("NotificationConfiguration", {}).get("EventBridgeConfiguration")
    if notified is not None:
        actor.state.notifications[name] = {"EventBridgeConfiguration": {}}
    region = actor.region
    return CreatedResource(
        name,
        {
            "Arn": f"arn:{PARTITION}:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
        },
    )


def _encryption(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Convert to the API's form, which says ApplyServerSideEncryptionByDefault."""
    (rule,) = configuration["ServerSideEncryptionConfiguration"]
    return {"ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"]}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a lifecycle rule to the API's form."""
    made: dict[str, Any] = {"ID": rule.get("Id"), "Status": rule["Status"], "Filter": {}}
    if old := rule.get("NoncurrentVersionExpiration"):
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(old["NoncurrentDays"])}
    if unfinished := rule.get("AbortIncompleteMultipartUpload"):
        days = int(unfinished["DaysAfterInitiation"])
        made["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": days}
    return made


def _delete(actor: Actor, name: str) -> None:
    actor.call("s3", "DeleteBucket", {}, Bucket=name)
    if bucket_owner(name) != actor.account_id:
        return
    if any(s3(actor.account_id).get_bucket(name).keys.values()):
        raise ResourceError(
            'Resource handler returned message: "The bucket you tried to delete is not empty'
            ' (Service: S3, Status Code: 409)"'
        )
    actor.state.bucket_policies.pop(name, None)
    actor.state.notifications.pop(name, None)
    s3(actor.account_id).delete_bucket(name)


def _read(actor: Actor, name: str) -> Mapping[str, Any] | None:
    return {"BucketName": name} if bucket_owner(name) == actor.account_id else None


RESOURCE_TYPE = ResourceType(
    type=_TYPE,
    properties=frozenset(
        {
            *("BucketName", "PublicAccessBlockConfiguration", "VersioningConfiguration"),
            *("OwnershipControls", "BucketEncryption", "LifecycleConfiguration", "Tags"),
            "NotificationConfiguration",
        }
    ),
    replacement_properties=frozenset({"BucketName"}),
    name_property="BucketName",
    attributes=_ATTRIBUTES,
    identifiers=("BucketName",),
    create=_create,
    update=_configure,
    delete=_delete,
    read=_read,
)
