"""S3: what the settings of a bucket may be, checked before moto stores them.

Source: S3 API Reference; the error texts were recorded on AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError, malformed_xml

SERVICE = "s3"
_TAG_TEXT = re.compile(r"[\w\s+\-=.:/@]*")
_CLOCK = re.compile(r"\d\d:\d\d:\d\d")
_MOST_TAGS = 50
_CONDITIONS = {"Prefix", "Tag", "And", "ObjectSizeGreaterThan", "ObjectSizeLessThan"}
_ACTIONS = {
    *("Expiration", "Transitions", "NoncurrentVersionExpiration", "NoncurrentVersionTransitions"),
    "AbortIncompleteMultipartUpload",
}


def _checked(check: Callable[[Call], None]) -> Operation:
    def operation(_state: SandboxState, call: Call) -> Any:
        check(call)
        return TO_MOTO

    return operation


def _versioning(call: Call) -> None:
    if not call.parameters.get("VersioningConfiguration", {}).get("Status"):
        raise ServiceError(
            "IllegalVersioningConfigurationException", "The Versioning element must be specified"
        )


def _ownership(call: Call) -> None:
    if len(call.parameters["OwnershipControls"]["Rules"]) != 1:
        raise malformed_xml()


def _encryption(call: Call) -> None:
    rules = call.parameters["ServerSideEncryptionConfiguration"]["Rules"]
    if len(rules) != 1:
        raise malformed_xml()
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {})
    if default.get("KMSMasterKeyID") and not default["SSEAlgorithm"].startswith("aws:kms"):
        raise ServiceError(
            "InvalidArgument",
            "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or"
            " aws:kms:dsse",
            ArgumentName="ApplyServerSideEncryptionByDefault",
        )


def _tagging(call: Call) -> None:
    check_tags(call.parameters["Tagging"].get("TagSet", []))


def check_tags(tags: list[dict[str, str]]) -> None:
    """Check the tags of a bucket.

    Raises:
        ServiceError: S3 would refuse them.
    """
    if len(tags) > _MOST_TAGS:
        raise ServiceError("BadRequest", "Bucket tag count cannot be greater than 50")
    keys = [tag["Key"] for tag in tags]
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if keys.count(key) > 1:
            raise _invalid_tag("Cannot provide multiple Tags with the same key", key)
        if key.lower().startswith("aws:"):
            raise _invalid_tag("System tags cannot be added/updated by requester", key)
        if not key or len(key) > 128 or not _TAG_TEXT.fullmatch(key):
            raise _invalid_tag("The TagKey you have provided is invalid", key)
        if len(value) > 256 or not _TAG_TEXT.fullmatch(value):
            raise _invalid_tag("The TagValue you have provided is invalid", key, TagValue=value)


def _invalid_tag(message: str, key: str, **members: str) -> ServiceError:
    return ServiceError("InvalidTag", message, 400, TagKey=key, **members)


def _lifecycle(call: Call) -> None:
    ids = set()
    for rule in call.parameters["LifecycleConfiguration"]["Rules"]:
        _lifecycle_rule(rule)
        if rule.get("ID") and rule["ID"] in ids:
            raise ServiceError(
                "InvalidArgument",
                "Rule ID must be unique. Found same ID for more than one rule",
                ArgumentName="ID",
                ArgumentValue=rule["ID"],
            )
        ids.add(rule.get("ID"))


def _lifecycle_rule(rule: dict[str, Any]) -> None:
    found = rule.get("Filter")
    if found is None and "Prefix" not in rule:
        raise malformed_xml()
    if found and len(_CONDITIONS & found.keys()) > 1:
        raise malformed_xml()
    both = (found or {}).get("And")
    if both is not None and len(both.get("Tags", [])) + len(both.keys() - {"Tags"}) < 2:
        raise malformed_xml()
    keys = [tag["Key"] for tag in (both or {}).get("Tags", [])]
    if len(keys) != len(set(keys)):
        raise ServiceError("InvalidRequest", "Duplicate Tag Keys are not allowed.")
    if not _ACTIONS & rule.keys():
        raise ServiceError("InvalidRequest", "At least one action needs to be specified in a rule.")
    if "NoncurrentVersionExpiration" in rule and not rule["NoncurrentVersionExpiration"]:
        raise malformed_xml()
    expiration = rule.get("Expiration")
    if expiration is not None:
        _expiration(expiration)


def _expiration(expiration: dict[str, Any]) -> None:
    if len(expiration.keys() & {"Days", "Date", "ExpiredObjectDeleteMarker"}) != 1:
        raise malformed_xml()
    date = expiration.get("Date")
    if date is not None and _time(date) != "00:00:00":
        raise ServiceError(
            "InvalidArgument",
            "'Date' must be at midnight GMT",
            ArgumentName="Date",
            ArgumentValue=str(date),
        )
    if expiration.get("Days", 1) < 1:
        raise ServiceError(
            "InvalidArgument", "'Days' for Expiration action must be a positive integer"
        )


def _time(date: Any) -> str:
    found = _CLOCK.search(str(date))
    return found[0] if found else "00:00:00"


def _object_headers(_state: SandboxState, call: Call, headers: Any) -> None:
    """Name the encryption and the kind of checksum, as S3 does for every object."""
    bucket = call.uri["Bucket"]
    held = s3(str(bucket_owner(bucket))).get_bucket(bucket)
    if "x-amz-server-side-encryption" not in headers and held.encryption:
        default = held.encryption["Rule"]["ApplyServerSideEncryptionByDefault"]
        headers["x-amz-server-side-encryption"] = default["SSEAlgorithm"]
    if any(name.lower().startswith("x-amz-checksum-crc") for name, _ in headers):
        headers["x-amz-checksum-type"] = "FULL_OBJECT"


def delete_object(_state: SandboxState, call: Call) -> Any:
    """DeleteObject: note whether the version is a delete marker, before it is gone."""
    version, bucket = call.parameters.get("VersionId"), call.uri["Bucket"]
    keys = s3(str(bucket_owner(bucket))).get_bucket(bucket).keys.getlist(call.uri["Key"], [])
    held = next((k for k in keys if str(getattr(k, "version_id", "")) == version), None)
    call.notes["marker"] = held is not None and type(held).__name__ == "FakeDeleteMarker"
    return TO_MOTO


def _deleted(_state: SandboxState, call: Call, headers: Any) -> None:
    if call.notes["marker"]:
        headers["x-amz-delete-marker"] = "true"


OPERATIONS: dict[str, Operation] = {
    "DeleteObject": delete_object,
    "PutBucketEncryption": _checked(_encryption),
    "PutBucketLifecycleConfiguration": _checked(_lifecycle),
    "PutBucketOwnershipControls": _checked(_ownership),
    "PutBucketTagging": _checked(_tagging),
    "PutBucketVersioning": _checked(_versioning),
}
AFTER = {
    "DeleteObject": _deleted,
    **dict.fromkeys(("PutObject", "GetObject", "HeadObject"), _object_headers),
}
