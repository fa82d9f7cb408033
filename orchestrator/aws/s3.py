"""Read S3 buckets: where they are, their settings, and the objects in them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of, is_denied, is_not_found, none_if_missing
from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws
from orchestrator.errors import AwsError
from orchestrator.model.observed import Bucket, Document, Encryption

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A setting's Terraform type and the call that reads it.
_SETTINGS = (
    ("aws_s3_bucket_public_access_block", "get_public_access_block"),
    ("aws_s3_bucket_ownership_controls", "get_bucket_ownership_controls"),
    ("aws_s3_bucket_server_side_encryption_configuration", "get_bucket_encryption"),
)
# The errors by which S3 says that a bucket has no such setting.
_UNSET = {
    "NoSuchBucketPolicy",
    "NoSuchTagSet",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}
# GetBucketLocation calls us-east-1 null, and eu-west-1 sometimes EU.
_LOCATIONS = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}
_LARGEST_TEMPLATE = 1_000_000  # bytes; what CloudFormation takes from S3
# https://<bucket>.s3.<region>.amazonaws.com/<key>, or the bucket in the path, or no region.
_ADDRESS = re.compile(
    r"https://(?:(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.)?"
    r"s3(?:[.-](?:dualstack\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com(?:\.cn)?"
    r"/(?P<path>[^?#\s]+)"
)


def read_public_template(aws: Aws, url: str) -> str:
    """Read a CloudFormation template that everybody may read, without credentials.

    Only addresses of S3 over HTTPS are read, as by CloudFormation itself, and no more of an object
    than CloudFormation takes. Where the session has an endpoint of its own (``AWS_ENDPOINT_URL``),
    it is asked in S3's place.

    Raises:
        AwsError: the address is not one of S3, or the object is no text, or too large.
    """
    found = _ADDRESS.fullmatch(url)
    bucket, _, key = (found["path"] if found else "").partition("/")
    if found and found["bucket"]:
        bucket, key = found["bucket"], found["path"]
    if not found or not key:
        raise AwsError("the template's address is not one of S3 over HTTPS", where=url)
    body = aws.unsigned_s3(found["region"]).get_object(Bucket=bucket, Key=unquote(key))["Body"]
    content = body.read(_LARGEST_TEMPLATE + 1)
    if len(content) > _LARGEST_TEMPLATE:
        raise AwsError(f"the template has more than {_LARGEST_TEMPLATE} bytes", where=url)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise AwsError("the template is no text", where=url) from None


@fact
@none_if_missing
def bucket_region(aws: Aws, name: str, account_id: str) -> str:
    """Read the region of an account's bucket (GetBucketLocation); None if there is no bucket.

    Raises:
        ServiceError: the bucket belongs to another account, or may not be read.
    """
    location = aws.client("s3").get_bucket_location(Bucket=name, ExpectedBucketOwner=account_id)[
        "LocationConstraint"
    ]
    return _LOCATIONS.get(location, location)


@fact
def owns_bucket(aws: Aws, name: str, account_id: str) -> bool:
    """Tell whether the bucket exists and belongs to the account (HeadBucket)."""
    try:
        aws.client("s3").head_bucket(Bucket=name, ExpectedBucketOwner=account_id)
    except ClientError as error:
        # Denied: another account's bucket, or none; creating it tells which.
        if is_denied(error) or is_not_found(error):
            return False
        raise
    return True


def bucket_exists_in(aws: Aws, name: str, region: str) -> bool:
    """Tell whether the bucket exists in the region and the caller may access it (HeadBucket)."""
    try:
        aws.client("s3", region).head_bucket(Bucket=name)
    except ClientError as error:
        # Denied: another account's bucket; 301: one in another region.
        if is_denied(error) or is_not_found(error) or code_of(error) == "301":
            return False
        raise
    return True


@fact
def bucket_policy(aws: Aws, name: str, region: str | None = None) -> Document | None:
    """Read the bucket's policy (GetBucketPolicy); None if there is none, or no bucket."""
    answer = _setting_of(aws, name, region, "get_bucket_policy")
    return json.loads(answer["Policy"]) if answer else None


@fact
def public_access_block(aws: Aws, name: str, region: str) -> dict[str, bool] | None:
    """Read the bucket's public access block (GetPublicAccessBlock); empty if it has none.

    None if there is no bucket.
    """
    answer = _setting_of(aws, name, region, "get_public_access_block")
    return None if answer is None else dict(answer.get("PublicAccessBlockConfiguration", {}))


@fact
def default_encryption(aws: Aws, name: str, region: str) -> Encryption | None:
    """Read how new objects are encrypted (GetBucketEncryption); None if there is no bucket."""
    answer = _setting_of(aws, name, region, "get_bucket_encryption")
    return None if answer is None else _encryption(answer)


def _encryption(answer: dict[str, Any]) -> Encryption:
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    for rule in rules:
        if chosen := rule.get("ApplyServerSideEncryptionByDefault"):
            return Encryption(chosen["SSEAlgorithm"], chosen.get("KMSMasterKeyID", ""))
    return Encryption("AES256")  # every bucket is encrypted since 2023


@fact
def creation_dates(aws: Aws) -> dict[str, datetime]:
    """Read when each of the account's buckets was created, by name (ListBuckets)."""
    return {b["Name"]: b["CreationDate"] for b in aws.client("s3").list_buckets()["Buckets"]}


def is_empty(aws: Aws, name: str, region: str) -> bool:
    """Tell whether a bucket has no object, old version or delete marker (ListObjectVersions)."""
    found = aws.client("s3", region).list_object_versions(Bucket=name, MaxKeys=1)
    return not (found.get("Versions") or found.get("DeleteMarkers"))


def empty_bucket(aws: Aws, name: str, region: str, account_id: str) -> None:
    """Delete every object of an account's bucket, old versions included (DeleteObjects).

    Raises:
        AwsError: S3 does not delete some of them.
    """
    client = aws.client("s3", region)
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not versions:
            continue
        objects: Any = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions]
        failed = client.delete_objects(
            Bucket=name,
            Delete={"Objects": objects, "Quiet": True},
            ExpectedBucketOwner=account_id,
        ).get("Errors", [])
        if failed:
            raise AwsError(
                f"{failed[0].get('Key')} is not deleted: {failed[0].get('Message')}",
                where=f"bucket {name}",
                hint="Allow s3:DeleteObject and s3:DeleteObjectVersion, then run the same command"
                " again.",
            )


def delete_bucket(aws: Aws, name: str, region: str, account_id: str) -> None:
    """Delete an account's empty bucket (DeleteBucket)."""
    aws.client("s3", region).delete_bucket(Bucket=name, ExpectedBucketOwner=account_id)


@fact
def list_objects(aws: Aws, bucket: str, region: str, prefix: str) -> dict[str, datetime]:
    """Return when each object whose key starts with ``prefix`` was modified (ListObjectsV2)."""
    pages = aws.client("s3", region).get_paginator("list_objects_v2")
    return {
        entry["Key"]: entry["LastModified"]
        for page in pages.paginate(Bucket=bucket, Prefix=prefix)
        for entry in page.get("Contents", [])
    }


@fact
@none_if_missing
def read_object(aws: Aws, bucket: str, region: str, key: str) -> bytes:
    """Read an object (GetObject); None if it does not exist.

    Raises:
        ServiceError: AccessDenied, which S3 also says in place of NoSuchKey to a caller who may
            not list the bucket.
    """
    return aws.client("s3", region).get_object(Bucket=bucket, Key=key)["Body"].read()


@fact
def describe_bucket(aws: Aws, name: str, account_id: str) -> Bucket | None:
    """Read a bucket with its settings; None if the account has none of that name."""
    if not owns_bucket(aws, name, account_id):
        return None
    region = bucket_region(aws, name, account_id)
    if region is None:
        return None
    s3 = aws.client("s3", region)
    answers = {kind: _setting(s3, call, name) for kind, call in _SETTINGS}
    settings = {kind for kind, answer in answers.items() if answer}
    if _setting(s3, "get_bucket_versioning", name).get("Status"):
        settings.add("aws_s3_bucket_versioning")
    policy = _setting(s3, "get_bucket_policy", name).get("Policy")
    if policy:
        settings.add("aws_s3_bucket_policy")
    rules = _setting(s3, "get_bucket_lifecycle_configuration", name).get("Rules", [])
    if rules:
        settings.add("aws_s3_bucket_lifecycle_configuration")
    notifications = _setting(s3, "get_bucket_notification_configuration", name)
    if notifications:
        settings.add("aws_s3_bucket_notification")
    return Bucket(
        name,
        region,
        not s3.list_objects_v2(Bucket=name, MaxKeys=1).get("Contents"),
        json.loads(policy) if policy else None,
        tuple(rule.get("ID", "without an id") for rule in rules),
        sum(len(v) for v in notifications.values() if isinstance(v, list)),
        frozenset(settings),
        {
            tag["Key"]: tag["Value"]
            for tag in _setting(s3, "get_bucket_tagging", name).get("TagSet", [])
            if not tag["Key"].startswith("aws:")
        },
        encryption=_encryption(answers["aws_s3_bucket_server_side_encryption_configuration"]),
    )


@none_if_missing
def _setting_of(aws: Aws, name: str, region: str | None, call: str) -> dict[str, Any]:
    """Read one setting of a bucket; None if there is no bucket."""
    return _setting(aws.client("s3", region), call, name)


def _setting(s3: S3Client, call: str, name: str) -> dict[str, Any]:
    """Read one setting of a bucket by the name of its call; empty if the bucket has none."""
    try:
        answer: dict[str, Any] = getattr(s3, call)(Bucket=name)
    except ClientError as error:
        if code_of(error) in _UNSET:
            return {}
        raise
    answer.pop("ResponseMetadata", None)
    return answer
