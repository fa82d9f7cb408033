"""S3: uploads in several parts, and how the parts make up an object.

moto keeps the parts; what is said of an upload, its checksum and its errors are made here. Sources:
S3 API Reference; S3 User Guide, "Checking object integrity in Amazon S3". The members of the
answers and the error texts were recorded on AWS.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote

from moto.s3.utils import STORAGE_CLASS
from werkzeug.datastructures import Headers

from orchestrator.sandbox.checksums import (
    DEFAULT,
    SIZES,
    check_content,
    checksum,
    digest,
    given_checksums,
)
from orchestrator.sandbox.encryption import key_to_write
from orchestrator.sandbox.object_versions import bucket_named, version_of, versions_of
from orchestrator.sandbox.ranges import check_copied
from orchestrator.sandbox.s3_conditions import check_conditions, check_source_conditions
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.s3_acl import check_grants, grants_of
from orchestrator.sandbox.services.s3_object_lock import check_lock_headers
from orchestrator.sandbox.services.s3_objects import (
    encryption_of,
    name_encryption,
    source_of,
    written,
)
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"
_MOST_PARTS, _SMALLEST_PART = 10_000, 5 * 1024 * 1024
# What the checksums of the parts make up: a checksum of theirs, or that of the whole object.
_TYPES = {
    "CRC32": ("COMPOSITE", "FULL_OBJECT"),
    "CRC32C": ("COMPOSITE", "FULL_OBJECT"),
    "CRC64NVME": ("FULL_OBJECT",),
    "SHA1": ("COMPOSITE",),
    "SHA256": ("COMPOSITE",),
}


def create(_state: SandboxState, call: Call) -> Any:
    """CreateMultipartUpload, before moto begins it."""
    algorithm, kind = _asked_checksum(call)
    if (storage := call.parameters.get("StorageClass", "STANDARD")) not in STORAGE_CLASS:
        raise ServiceError(
            "InvalidStorageClass",
            "The storage class you specified is not valid",
            StorageClassRequested=storage,
        )
    if kind and not algorithm:
        raise ServiceError(
            "InvalidRequest",
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm"
            " header.",
        )
    if algorithm and algorithm not in SIZES:
        raise ServiceError(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid"
            f" types: [{', '.join(SIZES)}]",
        )
    if kind and kind not in _TYPES[algorithm]:
        raise ServiceError(
            "InvalidRequest",
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum"
            " algorithm.",
        )
    check_grants(call, grants_of(call))
    check_lock_headers(call)
    return TO_MOTO


def _asked_checksum(call: Call) -> tuple[str, str]:
    given = call.parameters
    return (given.get("ChecksumAlgorithm") or "").upper(), given.get("ChecksumType") or ""


def _created(_state: SandboxState, call: Call, headers: Any) -> None:
    """Keep what was asked for of the object that the parts will be."""
    bucket = bucket_named(call.uri["Bucket"])
    upload = next(u for u in reversed(bucket.multiparts.values()) if u.key_name == call.uri["Key"])
    algorithm, kind = _asked_checksum(call)
    upload.algorithm, upload.kind = algorithm, kind or (_TYPES[algorithm][0] if algorithm else "")
    upload.asked, upload.initiated = call.parameters, datetime.now(timezone.utc)
    arn = call.caller.arn
    upload.initiator = {"ID": arn, "DisplayName": arn.rpartition("/")[2]}
    if algorithm:
        headers["x-amz-checksum-algorithm"] = algorithm
        headers["x-amz-checksum-type"] = upload.kind
    default = bucket.encryption["Rule"]
    default = default[0] if isinstance(default, list) else default
    asked = call.parameters.get("ServerSideEncryption")
    upload.encryption = asked or default["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    upload.bucket_key_enabled = call.parameters.get(
        "BucketKeyEnabled", default.get("BucketKeyEnabled")
    )
    key = key_to_write(bucket.name, call.parameters, call.caller.account_id)
    upload.kms_key_id = key.arn if key else None
    upload.customer_key = call.parameters.get("SSECustomerKeyMD5")
    name_encryption(upload, headers)


def upload_of(call: Call) -> Any:
    """Get the upload that a call names.

    Raises:
        ServiceError: NoSuchUpload.
    """
    upload = bucket_named(call.uri["Bucket"]).multiparts.get(call.parameters["UploadId"])
    if upload is None or upload.key_name != call.uri["Key"]:
        raise ServiceError(
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may"
            " have been aborted or completed.",
            404,
            UploadId=call.parameters["UploadId"],
        )
    return upload


def abort(_state: SandboxState, call: Call) -> Any:
    """AbortMultipartUpload."""
    upload_of(call)
    return TO_MOTO


def upload_part(_state: SandboxState, call: Call) -> Any:
    """UploadPart and UploadPartCopy, before moto keeps the part."""
    number = call.parameters["PartNumber"]
    if not 1 <= number <= _MOST_PARTS:
        raise ServiceError(
            "InvalidArgument",
            f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=str(number),
        )
    expected = upload_of(call).algorithm
    for actual in given_checksums(call.parameters):
        if expected and actual != expected:
            raise ServiceError(
                "InvalidRequest",
                f"Checksum Type mismatch occurred, expected checksum Type: {expected.lower()},"
                f" actual checksum Type: {actual.lower()}",
            )
    check_content(call.parameters)
    if call.operation == "UploadPartCopy":
        bucket, key, version = source_of(call)
        source = version_of(versions_of(bucket, key), version, key)
        check_source_conditions(call, source)
        if text := call.parameters.get("CopySourceRange"):
            check_copied(text, source.size)
    return TO_MOTO


def _uploaded(_state: SandboxState, call: Call, headers: Any) -> None:
    name_encryption(upload_of(call), headers)


def complete(state: SandboxState, call: Call) -> dict[str, Any]:
    """CompleteMultipartUpload."""
    upload, asked = upload_of(call), call.parameters
    parts = (asked.get("MultipartUpload") or {}).get("Parts") or []
    if asked.get("ChecksumType", upload.kind) != upload.kind:
        raise ServiceError(
            "InvalidRequest",
            f"The upload was created using the {upload.kind or 'null'} checksum mode. The complete"
            " request must use the same checksum mode.",
        )
    _check_parts(upload, parts)
    contents = [upload.parts[part["PartNumber"]].value for part in parts]
    size = sum(map(len, contents))
    if asked.get("MpuObjectSize", size) != size:
        raise ServiceError(
            "InvalidRequest",
            f"The provided 'x-amz-mp-object-size' header value {asked['MpuObjectSize']} does not"
            f" match what was computed: {size}",
        )
    algorithm = upload.algorithm or DEFAULT
    whole = checksum(algorithm, b"".join(contents))
    value = whole
    if upload.kind == "COMPOSITE":
        value = checksum(algorithm, b"".join(digest(algorithm, content) for content in contents))
    elif given_checksums(asked).get(algorithm, value) != value:
        raise ServiceError(
            "BadDigest",
            f"The {algorithm.lower()} you specified did not match the calculated checksum.",
        )
    check_conditions(call)
    described = [part_of(upload, part["PartNumber"]) for part in parts]  # moto drops the parts
    upload.completed = [
        {name: part[name] for name in part if name not in ("ETag", "LastModified")}
        for part in described
    ]
    bucket, key = call.uri["Bucket"], call.uri["Key"]
    call.notes["before"] = versions_of(bucket, key)
    held = s3(str(bucket_owner(bucket))).complete_multipart_upload(
        bucket, upload.id, iter([(part["PartNumber"], part["ETag"]) for part in parts])
    )
    for name in ("x-amz-checksum-algorithm", "x-amz-checksum-type"):  # of the upload only
        held.metadata.pop(name, None)
    held.checksum_algorithm, held.checksum_value = algorithm, whole
    held.checksum_type, held.composite_value = upload.kind or "FULL_OBJECT", value
    held.bucket_key_enabled = upload.bucket_key_enabled
    headers = Headers()
    written(state, replace(call, parameters=upload.asked), headers)
    answer = {
        "Location": f"http://{bucket}.s3.amazonaws.com/{quote(key)}",
        "Bucket": bucket,
        "Key": key,
        "ETag": held.etag,
    }
    if not upload.customer_key:
        answer |= encryption_of(held)
        if upload.kms_key_id is None:
            number = f"-{len(parts)}" if upload.kind == "COMPOSITE" else ""
            answer[f"Checksum{algorithm}"] = f"{value}{number}"
            answer["ChecksumType"] = held.checksum_type
    if bucket_named(bucket).versioning_status:
        answer["VersionId"] = str(held.version_id)
    if expires := headers.get("x-amz-expiration"):
        answer["Expiration"] = expires
    return answer


def part_of(upload: Any, number: int) -> dict[str, Any]:
    """Describe a part of an upload."""
    part = upload.parts[number]
    described = {
        "PartNumber": number,
        "LastModified": part.last_modified,
        "ETag": part.etag,
        "Size": part.size,
    }
    if upload.algorithm:
        described[f"Checksum{upload.algorithm}"] = checksum(upload.algorithm, part.value)
    return described


def _check_parts(upload: Any, parts: list[dict[str, Any]]) -> None:
    """Refuse parts that are none of the upload's, or not in their order, or too small."""
    if not parts:
        raise ServiceError("InvalidRequest", "You must specify at least one part")
    numbers = [part["PartNumber"] for part in parts]
    if numbers != sorted(set(numbers)):
        raise ServiceError(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
            UploadId=upload.id,
        )
    for part in parts:
        held, etag = upload.parts.get(part["PartNumber"]), part["ETag"].strip('"')
        checksums = given_checksums(part)
        if upload.kind == "COMPOSITE" and held is not None and not checksums:
            raise ServiceError(
                "InvalidRequest",
                f"The upload was created using a {upload.algorithm.lower()} checksum. The complete"
                " request must include the checksum for each part. It was missing for part"
                f" {part['PartNumber']} in the request.",
            )
        if (
            held is None
            or held.etag.strip('"') != etag
            or any(
                name != upload.algorithm or value != checksum(name, held.value)
                for name, value in checksums.items()
            )
        ):
            raise ServiceError(
                "InvalidPart",
                "One or more of the specified parts could not be found.  The part may not have been"
                " uploaded, or the specified entity tag may not match the part's entity tag.",
                UploadId=upload.id,
                PartNumber=str(part["PartNumber"]),
                ETag=etag,
            )
    for part in parts[:-1]:
        held = upload.parts[part["PartNumber"]]
        if held.size < _SMALLEST_PART:
            raise ServiceError(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=str(held.size),
                MinSizeAllowed=str(_SMALLEST_PART),
                PartNumber=str(part["PartNumber"]),
                ETag=held.etag.strip('"'),
            )


OPERATIONS: dict[str, Operation] = {
    "AbortMultipartUpload": abort,
    "CompleteMultipartUpload": complete,
    "CreateMultipartUpload": create,
    "UploadPart": upload_part,
    "UploadPartCopy": upload_part,
}
AFTER = {
    "CreateMultipartUpload": _created,
    "UploadPart": _uploaded,
    "UploadPartCopy": _uploaded,
}
