"""S3: buckets with AWS's defaults; the rest is moto's.

Source: S3 API Reference, "Error responses"; S3 User Guide, "Bucket naming rules",
"Default settings for new S3 buckets".
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from botocore.session import get_session
from moto.s3.models import PublicAccessBlock
from werkzeug.wrappers import Response

from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.services import TO_MOTO, Operation, Permission
from orchestrator.sandbox.services.s3_acl import (
    canonical_id,
    check_new_bucket,
    grants_of,
    note_grants,
)
from orchestrator.sandbox.services.s3_configurations import forget
from orchestrator.sandbox.services.s3_objects import source_of
from orchestrator.sandbox.services.s3_settings import check_tags, default_encryption
from orchestrator.sandbox.state import PARTITION, SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError, malformed_xml

SERVICE = "s3"
_HOME, _EU = "us-east-1", "EU"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED = re.compile(
    r"(\d+\.){3}\d+|.*\.\..*|(xn--|sthree-|amzn-s3-demo-).*"
    r"|.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)"
)
_MOST_BUCKETS = 10_000


def create_bucket(state: SandboxState, call: Call) -> Any:
    """CreateBucket: names are global; a name of another account is refused.

    Creating one's own bucket again succeeds in us-east-1 only, and without tags.
    """
    bucket = call.uri["Bucket"]
    settings = call.parameters.get("CreateBucketConfiguration", {})
    if not _NAME.fullmatch(bucket) or _RESERVED.fullmatch(bucket):
        raise ServiceError(
            "InvalidBucketName", "The specified bucket is not valid.", BucketName=bucket
        )
    place = settings.get("LocationConstraint", _EU)
    if call.region == _HOME and (place == _HOME or place not in _regions()):
        raise ServiceError(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
            LocationConstraint=place,
        )
    ownership = call.parameters.get("ObjectOwnership", "BucketOwnerEnforced")
    if ownership not in ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"):
        raise ServiceError(
            "InvalidArgument",
            f"Invalid x-amz-object-ownership header: {ownership}",
            ArgumentName="x-amz-object-ownership",
        )
    check_new_bucket(call, ownership)
    _check_tags_at_creation(settings.get("Tags") or [])
    owner = bucket_owner(bucket)
    if owner is None:
        if settings.get("Tags"):
            tagging = {"ResourceArn": f"arn:{PARTITION}:s3:::{bucket}", "Tags": settings["Tags"]}
            authorize(
                state,
                replace(call, service="s3control", operation="TagResource", parameters=tagging),
            )
        if settings.get("LocationConstraint") == _EU and call.region == "eu-west-1":
            s3(call.caller.account_id).create_bucket(bucket, call.region).location_constraint = _EU
            set_defaults(call.caller.account_id, bucket)
            return {
                "Location": f"http://{bucket}.s3.amazonaws.com/",
                "BucketArn": f"arn:{PARTITION}:s3:::{bucket}",
            }
        return TO_MOTO
    if owner != call.caller.account_id:
        raise ServiceError(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all"
            " users of the system. Please select a different name and try again.",
            409,
            BucketName=bucket,
        )
    elsewhere = s3(owner).get_bucket(bucket).region_name != _HOME
    if call.region != _HOME or elsewhere or settings.get("Tags"):
        raise ServiceError(
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
            409,
            BucketName=bucket,
        )
    return {"Location": f"/{bucket}", "BucketArn": f"arn:{PARTITION}:s3:::{bucket}"}


def _check_tags_at_creation(tags: list[dict[str, str]]) -> None:
    if any(not {"Key", "Value"} <= tag.keys() for tag in tags):
        raise malformed_xml()
    if any(tag["Key"].startswith("aws:") for tag in tags):
        raise ServiceError(
            "InvalidTag",
            'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system'
            ' tags. Remove "aws:" from your tag keys and try again.',
        )
    check_tags(tags)


@cache
def _regions() -> set[str]:
    session = get_session()
    partitions = session.get_available_partitions()
    return {_EU}.union(*(session.get_available_regions("s3", p) for p in partitions))


def set_defaults(account_id: str, bucket: str) -> None:
    """Give a new bucket the settings that every bucket has since 2023, where it has none."""
    made = s3(account_id).get_bucket(bucket)
    made.public_access_block = PublicAccessBlock(*["true"] * 4)
    made.encryption = default_encryption()
    if made.ownership_rule is None:
        made.ownership_rule = "BucketOwnerEnforced"


def _created(_state: SandboxState, call: Call, headers: Any) -> None:
    bucket = call.uri["Bucket"]
    set_defaults(call.caller.account_id, bucket)
    note_grants(s3(call.caller.account_id).get_bucket(bucket), grants_of(call))
    if tags := call.parameters.get("CreateBucketConfiguration", {}).get("Tags"):
        backend = s3(call.caller.account_id)
        backend.put_bucket_tagging(bucket, {tag["Key"]: tag["Value"] for tag in tags})
    headers["x-amz-bucket-arn"] = f"arn:{PARTITION}:s3:::{bucket}"
    if s3(call.caller.account_id).get_bucket(bucket).region_name != _HOME:
        headers["Location"] = f"http://{bucket}.s3.amazonaws.com/"


def get_location(_state: SandboxState, call: Call) -> Any:
    """GetBucketLocation: EU, the former name of eu-west-1, where the bucket was made by it."""
    bucket = str(call.uri["Bucket"])
    held = s3(str(bucket_owner(bucket))).get_bucket(bucket)
    if not hasattr(held, "location_constraint"):
        return TO_MOTO
    name = held.location_constraint
    return Response(f"<LocationConstraint>{name}</LocationConstraint>", mimetype="text/xml")


def list_buckets(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListBuckets: in the order of their names, in pages if these are asked for."""
    given = call.parameters
    if not 1 <= given.get("MaxBuckets", 1) <= _MOST_BUCKETS:
        raise ServiceError(
            "InvalidArgument",
            f"Argument max-buckets must be an integer between 1 and {_MOST_BUCKETS}",
            ArgumentName="max-buckets",
            ArgumentValue=str(given["MaxBuckets"]),
        )
    region = given.get("BucketRegion")
    if region is not None and region not in _regions():
        raise ServiceError(
            "InvalidArgument",
            f"Argument value {region} is not a valid AWS Region",
            ArgumentName="bucket-region",
        )
    owned = sorted(s3(call.caller.account_id).buckets.values(), key=lambda b: str(b.name))
    found = [
        b
        for b in owned
        if b.name.startswith(given.get("Prefix", ""))
        and given.get("BucketRegion", b.region_name) == b.region_name
        and b.name > _of_token(given.get("ContinuationToken", ""))
    ]
    size = given.get("MaxBuckets", len(found))
    with_region = {"Prefix", "MaxBuckets", "BucketRegion", "ContinuationToken"} & given.keys()
    listed: dict[str, Any] = {
        "Buckets": [
            {
                "Name": b.name,
                "CreationDate": b.creation_date,
                "BucketArn": f"arn:{PARTITION}:s3:::{b.name}",
                **({"BucketRegion": b.region_name} if with_region else {}),
            }
            for b in found[:size]
        ],
        "Owner": {"ID": canonical_id(call.caller.account_id)},
    }
    if given.get("Prefix"):
        listed["Prefix"] = given["Prefix"]
    if size < len(found):
        listed["ContinuationToken"] = b64encode(found[size - 1].name.encode()).decode()
    return listed


def _of_token(token: str) -> str:
    try:
        return b64decode(token, validate=True).decode()
    except ValueError:
        raise ServiceError(
            "InvalidArgument",
            "The continuation token provided is incorrect",
            ArgumentName="continuation-token",
        ) from None


def _headed(_state: SandboxState, call: Call, headers: Any) -> None:
    headers["x-amz-bucket-arn"] = f"arn:{PARTITION}:s3:::{call.uri['Bucket']}"
    headers["x-amz-access-point-alias"] = "false"


def delete_bucket(state: SandboxState, call: Call) -> Any:
    """DeleteBucket: its policy and notifications go, too."""
    bucket = str(call.uri["Bucket"])
    held = s3(str(bucket_owner(bucket))).get_bucket(bucket)
    if any(held.keys.values()):
        every_version = held.versioning_status is not None
        raise ServiceError(
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty"
            + (". You must delete all versions in the bucket." if every_version else ""),
            409,
            BucketName=bucket,
        )
    state.bucket_policies.pop(bucket, None)
    state.notifications.pop(bucket, None)
    forget(state, bucket)
    return TO_MOTO


def delete_encryption(_state: SandboxState, call: Call) -> Any:
    """DeleteBucketEncryption: the default is Amazon S3's own keys again."""
    bucket = str(call.uri["Bucket"])
    s3(str(bucket_owner(bucket))).get_bucket(bucket).encryption = default_encryption()
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateBucket": create_bucket,
    "DeleteBucket": delete_bucket,
    "DeleteBucketEncryption": delete_encryption,
    "GetBucketLocation": get_location,
    "ListBuckets": list_buckets,
}
AFTER = {"CreateBucket": _created, "HeadBucket": _headed}
TEXTS = (("GetBucketTagging", r"(</Key>)(\s*</Tag>)", r"\1<Value></Value>\2"),)


def permissions(_state: SandboxState, call: Call) -> Iterator[Permission]:
    """Yield the permissions that a call needs besides the one that has its name.

    To learn that an object is missing one must be allowed to list the bucket. AWS answers with an
    error for each object that may not be deleted; here the call is refused. Sources: S3 API
    Reference, "Permissions" of CopyObject, DeleteObjects and GetObject.
    """
    bucket = f"arn:{PARTITION}:s3:::{call.uri.get('Bucket')}"
    if call.operation in _READS_OBJECT and _lacks_object(call.uri["Bucket"], call.uri["Key"]):
        yield Permission("s3:ListBucket", bucket)
    if call.operation in ("CopyObject", "UploadPartCopy"):
        source, key, _ = source_of(call)
        arn = f"arn:{PARTITION}:s3:::{source}"
        yield Permission("s3:GetObject", f"{arn}/{key}")
        if _lacks_object(source, key):
            yield Permission("s3:ListBucket", arn)
    if call.parameters.get("BypassGovernanceRetention") and call.uri.get("Key"):
        yield Permission("s3:BypassGovernanceRetention", f"{bucket}/{call.uri['Key']}")
    if call.operation != "DeleteObjects":
        return
    for named in call.parameters["Delete"]["Objects"]:
        yield Permission("s3:DeleteObject", f"{bucket}/{named['Key']}")
        if "VersionId" in named:
            yield Permission("s3:DeleteObjectVersion", f"{bucket}/{named['Key']}")


_READS_OBJECT = ("GetObject", "GetObjectAttributes", "HeadObject")


def _lacks_object(bucket: str, key: str) -> bool:
    owner = bucket_owner(bucket)
    return owner is not None and s3(owner).get_object(bucket, key) is None
