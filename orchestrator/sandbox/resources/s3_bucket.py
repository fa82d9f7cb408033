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

# The transitions of a lifecycle rule, with the API's name of their days.
_TRANSITIONS = {"Transitions": "Days", "NoncurrentVersionTransitions": "NoncurrentDays"}
# The members of a rule of CORS, with the API's names.
_CORS = {
    "AllowedMethods": "AllowedMethod",
    "AllowedOrigins": "AllowedOrigin",
    "AllowedHeaders": "AllowedHeader",
    "ExposedHeaders": "ExposeHeader",
    "Id": "ID",
}


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
    cors = properties.get("CorsConfiguration", {}).get("CorsRules", [])
    own.put_bucket_cors(name, [_cors_rule(rule) for rule in cors])
    if properties.get("AccessControl", "Private") != "Private" and not ownership:
        raise ResourceError(
            'Resource handler returned message: "Bucket cannot have ACLs set with'
            f" ObjectOwnership's BucketOwnerEnforced setting\" (RequestToken: {uuid.uuid4()},"
            " HandlerErrorCode: InvalidRequest)"
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
    prefix = {"Prefix": rule["Prefix"]} if "Prefix" in rule else {}
    made: dict[str, Any] = {"ID": rule.get("Id"), "Status": rule["Status"], "Filter": prefix}
    if "ExpirationInDays" in rule:
        made["Expiration"] = {"Days": int(rule["ExpirationInDays"])}
    for name, days in _TRANSITIONS.items():
        if name in rule:
            made[name] = [
                {"StorageClass": one["StorageClass"], days: int(one["TransitionInDays"])}
                for one in rule[name]
            ]
    if old := rule.get("NoncurrentVersionExpiration"):
        made["NoncurrentVersionExpiration"] = {"NoncurrentDays": int(old["NoncurrentDays"])}
    if unfinished := rule.get("AbortIncompleteMultipartUpload"):
        after = int(unfinished["DaysAfterInitiation"])
        made["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": after}
    return made


def _cors_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a rule of CORS to the API's form."""
    made = {api: rule[name] for name, api in _CORS.items() if name in rule}
    return made | ({"MaxAgeSeconds": str(rule["MaxAge"])} if "MaxAge" in rule else {})


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
            *("NotificationConfiguration", "CorsConfiguration", "AccessControl"),
        }
    ),
    unknown_properties=frozenset(
        {
            *("AbacStatus", "AccelerateConfiguration", "AnalyticsConfigurations"),
            *("IntelligentTieringConfigurations", "InventoryConfigurations"),
            *("LoggingConfiguration", "MetadataConfiguration", "MetadataTableConfiguration"),
            *("MetricsConfigurations", "ObjectLockConfiguration", "ObjectLockEnabled"),
            *("ReplicationConfiguration", "WebsiteConfiguration"),
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
