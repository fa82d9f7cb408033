"""S3: writing and copying objects: their versions, KMS keys and conditions.

moto ignores the conditions of copies. Source: S3 API Reference; the error texts were recorded on
AWS.
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import unquote

from moto.s3.models import FakeDeleteMarker

from orchestrator.sandbox.checksums import check_content
from orchestrator.sandbox.encryption import key_to_write, note_key
from orchestrator.sandbox.object_versions import (
    bucket_named,
    no_such_key,
    version_of,
    versions_of,
)
from orchestrator.sandbox.s3_conditions import check_conditions, check_source_conditions
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.s3_acl import check_grants, grants_of, note_grants
from orchestrator.sandbox.services.s3_attributes import name_checksum, note_checksum
from orchestrator.sandbox.services.s3_lifecycle import expiration
from orchestrator.sandbox.services.s3_object_lock import check_lock_headers
from orchestrator.sandbox.services.s3_object_tags import check_tagging_header
from orchestrator.sandbox.services.s3_settings import default_encryption
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"
_IN_PLACE = (
    "This copy request is illegal because it is trying to copy an object to itself without changing"
    " the object's metadata, storage class, website redirect location or encryption attributes."
)


def put_object(_state: SandboxState, call: Call) -> Any:
    """PutObject, before moto writes it."""
    _check_written(call)
    check_content(call.parameters)
    check_grants(call, grants_of(call))
    check_tagging_header(call)
    check_lock_headers(call)
    check_conditions(call)
    return TO_MOTO


_MOST_OF_KEY, _MOST_METADATA = 1024, 2048  # bytes


def _check_written(call: Call) -> None:
    """Check the key and the metadata of an object to be written."""
    key, given = len(call.uri["Key"].encode()), call.parameters
    if key > _MOST_OF_KEY:
        raise ServiceError(
            "KeyTooLongError",
            "Your key is too long",
            Size=str(key),
            MaxSizeAllowed=str(_MOST_OF_KEY),
        )
    metadata = sum(len(f"{n}{v}".encode()) for n, v in (given.get("Metadata") or {}).items())
    if metadata > _MOST_METADATA:
        raise ServiceError(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            Size=str(metadata),
            MaxSizeAllowed=str(_MOST_METADATA),
        )
    if (algorithm := given.get("ServerSideEncryption")) not in _ALGORITHMS:
        raise ServiceError(
            "InvalidArgument",
            "The encryption method specified is not supported",
            ArgumentName="x-amz-server-side-encryption",
            ArgumentValue=str(algorithm),
        )


_ALGORITHMS = (None, "AES256", "aws:kms", "aws:kms:dsse", "aws:fsx")


def source_of(call: Call) -> tuple[str, str, str | None]:
    """Read the bucket, key and version that a call copies.

    Raises:
        ServiceError: they are not named as S3 asks for it.
    """
    path, _, query = str(call.parameters.get("CopySource", "")).partition("?versionId=")
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    if not bucket or not key:
        raise ServiceError(
            "InvalidArgument",
            "Invalid copy source object key",
            ArgumentName="x-amz-copy-source",
            ArgumentValue="x-amz-copy-source",
        )
    return bucket, key, query or None


def copy_object(_state: SandboxState, call: Call) -> Any:
    """CopyObject, before moto copies it."""
    bucket, key, version = source_of(call)
    if bucket_owner(bucket) is None:
        raise ServiceError(
            "NoSuchBucket", "The specified bucket does not exist", 404, BucketName=bucket
        )
    if call.parameters.get("MetadataDirective", "COPY") not in ("COPY", "REPLACE"):
        raise ServiceError(
            "InvalidArgument",
            "Unknown metadata directive.",
            ArgumentName="x-amz-metadata-directive",
            ArgumentValue=call.parameters["MetadataDirective"],
        )
    check_grants(call, grants_of(call))
    source = version_of(versions_of(bucket, key), version, key)
    if isinstance(source, FakeDeleteMarker):
        raise no_such_key(key)
    check_source_conditions(call, source)
    check_conditions(call)
    if (
        (bucket, key) == (call.uri["Bucket"], call.uri["Key"])
        and version is None
        and not _changes(call, source)
    ):
        raise ServiceError("InvalidRequest", _IN_PLACE)
    return TO_MOTO


def _changes(call: Call, source: Any) -> bool:
    """Whether copying an object to itself changes anything."""
    given = call.parameters
    return bool(
        given.get("StorageClass")
        or given.get("ServerSideEncryption")
        or given.get("MetadataDirective") == "REPLACE"
        or given.get("WebsiteRedirectLocation")
        or source.encryption not in (None, "AES256")
        or bucket_named(call.uri["Bucket"]).encryption != default_encryption()
    )


def written(_state: SandboxState, call: Call, headers: Any) -> None:
    """Keep the KMS key and the ACL; the null version is overwritten."""
    bucket, key = call.uri["Bucket"], call.uri["Key"]
    held, now = bucket_named(bucket), versions_of(bucket, key)[-1]
    used = key_to_write(bucket, call.parameters, call.caller.account_id)
    note_key(now, used)
    encrypted = used is not None or call.parameters.get("SSECustomerKeyMD5")
    if encrypted and call.operation == "PutObject":  # then it is no digest of the content
        now._etag = uuid.uuid4().hex
        headers["ETag"] = now.etag
    if call.operation == "CopyObject":  # of one part, whatever its source was
        now.multipart = now.checksum_type = None
    now.customer_key = call.parameters.get("SSECustomerKeyMD5")
    note_checksum(now, call.parameters)
    if call.operation == "PutObject":
        name_checksum(now, headers)
    note_grants(now, grants_of(call))
    if held.versioning_status == "Suspended":
        older = [v for v in versions_of(bucket, key)[:-1] if str(v.version_id) != "null"]
        held.keys.setlist(key, [*older, now])
        if call.operation == "PutObject":
            headers.pop("x-amz-version-id", None)
    name_details(held, now, headers)


def encryption_of(held: Any) -> dict[str, str]:
    """Describe the encryption of an object, or of an upload, by the members of S3's answers."""
    algorithm = held.encryption or "AES256"
    if digest := getattr(held, "customer_key", None):
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": digest}
    if algorithm == "AES256":
        return {"ServerSideEncryption": algorithm}
    described = {"ServerSideEncryption": algorithm}
    if held.kms_key_id:
        described["SSEKMSKeyId"] = str(held.kms_key_id)
    if str(held.bucket_key_enabled).lower() == "true":
        described["BucketKeyEnabled"] = "true"
    return described


_ENCRYPTION = {
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "BucketKeyEnabled": "x-amz-server-side-encryption-bucket-key-enabled",
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
    "SSECustomerKeyMD5": "x-amz-server-side-encryption-customer-key-MD5",
}


def name_encryption(held: Any, headers: Any) -> None:
    """Name the encryption of an object, or of an upload, in an answer's headers."""
    for header in _ENCRYPTION.values():
        headers.pop(header, None)
    for member, value in encryption_of(held).items():
        headers[_ENCRYPTION[member]] = value


def name_details(bucket: Any, held: Any, headers: Any) -> None:
    """Name the encryption of an object, and when it expires."""
    name_encryption(held, headers)
    tags = s3(held.account_id).tagger.get_tag_dict_for_resource(held.arn)
    if expires := expiration(bucket.name, held, tags):
        headers["x-amz-expiration"] = expires


OPERATIONS: dict[str, Operation] = {
    "CopyObject": copy_object,
    "PutObject": put_object,
}
AFTER = {
    "CopyObject": written,
    "PutObject": written,
}
_CHECKSUM = r"(<(Checksum(?:CRC32C?|CRC64NVME|SHA1|SHA256))>[^<]*</\2>)(?!\s*<ChecksumType>)"
TEXTS = (
    ("CopyObject", _CHECKSUM, r"\1<ChecksumType>FULL_OBJECT</ChecksumType>"),
    ("PutObject", r"StorageClass>", "StorageClassRequested>"),
)
