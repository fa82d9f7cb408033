"""S3: versions of objects, their tags and KMS keys, and the conditions of writing them.

moto forgets older versions where versioning is suspended, and conditions of copies. Sources: S3
API Reference; S3 User Guide, "Working with objects in a versioning-suspended bucket". The error
texts were recorded on AWS.
"""

from __future__ import annotations

import re
import uuid
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, unquote

from moto.s3.models import FakeDeleteMarker
from werkzeug.wrappers import Response

from orchestrator.sandbox import wire
from orchestrator.sandbox.encryption import key_to_write, note_key
from orchestrator.sandbox.object_versions import (
    bucket_named,
    check_version_id,
    existing,
    no_such_key,
    version_of,
    versions_of,
)
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.s3_acl import check_grants, grants_of, note_grants
from orchestrator.sandbox.services.s3_lifecycle import expiration
from orchestrator.sandbox.services.s3_settings import check_tags, default_encryption
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"
_TAG_PAIR = re.compile(r"[^=&,]*(=[^=&,]*)?")
_IN_PLACE = (
    "This copy request is illegal because it is trying to copy an object to itself without changing"
    " the object's metadata, storage class, website redirect location or encryption attributes."
)


def get_object(_state: SandboxState, call: Call) -> Any:
    """GetObject: moto's, but for delete markers and unknown versions."""
    try:
        existing(call, latest_marker_is_absent=True)
    except ServiceError as error:
        response = wire.s3_error(error.code, error.message, error.status, error.members)
        versions = versions_of(call.uri["Bucket"], call.uri["Key"])
        if error.code == "MethodNotAllowed" or (error.code == "NoSuchKey" and versions):
            latest = call.parameters.get("VersionId") or versions[-1].version_id
            response.headers["x-amz-delete-marker"] = "true"
            response.headers["x-amz-version-id"] = str(latest)
            if error.code == "MethodNotAllowed":
                response.headers["Allow"] = "DELETE"
        return response
    return TO_MOTO


def _delete(bucket_name: str, key: str, version: str | None) -> dict[str, Any]:
    """Delete a version, or the object; what is then said of it."""
    bucket = bucket_named(bucket_name)
    versions = list(bucket.keys.getlist(key, []))
    if version is not None:
        found = next((v for v in versions if str(v.version_id) == version), None)
        _keep(bucket, key, [v for v in versions if v is not found])
        said: dict[str, Any] = {"VersionId": version} if bucket.versioning_status else {}
        if isinstance(found, FakeDeleteMarker):
            said["DeleteMarker"] = True
        return said
    if bucket.versioning_status is None:
        _keep(bucket, key, [])
        return {}
    marker = FakeDeleteMarker(key=SimpleNamespace(name=key))
    if bucket.versioning_status == "Suspended":
        marker._version_id = "null"
        versions = [v for v in versions if str(v.version_id) != "null"]
    _keep(bucket, key, [*versions, marker])
    return {"VersionId": marker.version_id, "DeleteMarker": True}


def _keep(bucket: Any, key: str, versions: list[Any]) -> None:
    if versions:
        bucket.keys.setlist(key, versions)
    else:
        dict.pop(bucket.keys, key, None)  # moto's own fails at delete markers


def delete_object(_state: SandboxState, call: Call) -> Any:
    """DeleteObject: of what does not exist, it succeeds."""
    bucket, version = call.uri["Bucket"], call.parameters.get("VersionId")
    check_version_id(bucket_named(bucket), version)
    if _locked(bucket, call.uri["Key"], version):
        return TO_MOTO
    return _delete(bucket, call.uri["Key"], version)


def _locked(bucket: str, key: str, version: str | None) -> bool:
    """Whether object lock decides, as moto does."""
    return version is not None and any(
        str(v.version_id) == version and getattr(v, "lock_mode", None)
        for v in versions_of(bucket, key)
    )


def delete_objects(_state: SandboxState, call: Call) -> Any:
    """DeleteObjects: each by itself; versions that do not exist are errors."""
    bucket, asked = call.uri["Bucket"], call.parameters["Delete"]
    if any(_locked(bucket, named["Key"], named.get("VersionId")) for named in asked["Objects"]):
        return TO_MOTO
    deleted, errors = [], []
    for named in asked["Objects"]:
        key, version = named["Key"], named.get("VersionId")
        try:
            if version is not None:
                version_of(versions_of(bucket, key), version, key)
        except ServiceError as error:
            errors.append({"Code": error.code, "Message": error.message, **error.members})
            continue
        said = _delete(bucket, key, version)
        entry = {"Key": key, **({"VersionId": version} if version is not None else {})}
        if said.get("DeleteMarker"):
            entry.update(DeleteMarker=True, DeleteMarkerVersionId=said["VersionId"])
        deleted.append(entry)
    answer: dict[str, Any] = {"Deleted": deleted} if deleted and not asked.get("Quiet") else {}
    return {**answer, "Errors": errors} if errors else answer


def _not_implemented(header: str, why: str) -> ServiceError:
    return ServiceError(
        "NotImplemented",
        "A header you provided implies functionality that is not implemented",
        501,
        Header=header,
        additionalMessage=why,
    )


def _failed(condition: str) -> ServiceError:
    return ServiceError(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        412,
        Condition=condition,
    )


def _check_conditions(call: Call) -> None:
    """Check If-Match and If-None-Match of an object to be written."""
    given, key = call.parameters, call.uri["Key"]
    match, none_match = given.get("IfMatch"), given.get("IfNoneMatch")
    if match and none_match:
        raise _not_implemented(
            "If-Match,If-None-Match",
            "Multiple conditional request headers present in the request",
        )
    for name, header, wrong in (
        (match, "If-Match", match == "*"),
        (none_match, "If-None-Match", none_match != "*"),
    ):
        if name and wrong:
            why = f"We don't accept the provided value of {header} header for this API"
            raise _not_implemented(header, why)
    versions = versions_of(call.uri["Bucket"], key)
    held = versions[-1] if versions and not isinstance(versions[-1], FakeDeleteMarker) else None
    if match and held is None:
        raise no_such_key(key)
    if match and held is not None and match.strip('"') != held.etag.strip('"'):
        raise _failed("If-Match")
    if none_match and held is not None:
        raise _failed("If-None-Match")


def _check_tagging_header(call: Call) -> None:
    text = call.parameters.get("Tagging") or ""
    names = [name for name, _ in parse_qsl(text, keep_blank_values=True)]
    if all(map(_TAG_PAIR.fullmatch, text.split("&"))) and len(names) == len(set(names)):
        check_tags(
            [{"Key": k, "Value": v} for k, v in parse_qsl(text, keep_blank_values=True)],
            of_object=True,
        )
        return
    raise ServiceError(
        "InvalidArgument",
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters"
        " without tag name duplicates.",
        ArgumentName="x-amz-tagging",
        ArgumentValue=text,
    )


def put_object(_state: SandboxState, call: Call) -> Any:
    """PutObject, before moto writes it."""
    check_grants(call, grants_of(call))
    _check_tagging_header(call)
    _check_conditions(call)
    call.notes["before"] = versions_of(call.uri["Bucket"], call.uri["Key"])
    return TO_MOTO


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
    check_grants(call, grants_of(call))
    source = version_of(versions_of(bucket, key), version, key)
    if isinstance(source, FakeDeleteMarker):
        raise no_such_key(key)
    _check_source_conditions(call, source)
    _check_conditions(call)
    here = (call.uri["Bucket"], call.uri["Key"])
    if (bucket, key) == here and version is None and not _changes(call, source):
        raise ServiceError("InvalidRequest", _IN_PLACE)
    call.notes["before"] = versions_of(*here)
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


def _check_source_conditions(call: Call, source: Any) -> None:
    given, etag = call.parameters, source.etag.strip('"')
    match, none_match = given.get("CopySourceIfMatch"), given.get("CopySourceIfNoneMatch")
    if match and match.strip('"') != etag:
        raise _failed("x-amz-copy-source-If-Match")
    if none_match and none_match.strip('"') == etag:
        raise _failed("x-amz-copy-source-If-None-Match")


def _written(_state: SandboxState, call: Call, headers: Any) -> None:
    """Keep the KMS key, the ACL, and the older versions where versioning is suspended."""
    bucket, key = call.uri["Bucket"], call.uri["Key"]
    held, now = bucket_named(bucket), versions_of(bucket, key)[-1]
    used = key_to_write(bucket, call.parameters, call.caller.account_id)
    note_key(now, used)
    if used is not None and call.operation == "PutObject":  # then it is no digest of the content
        now._etag = uuid.uuid4().hex
        headers["ETag"] = now.etag
    note_grants(now, grants_of(call))
    if held.versioning_status == "Suspended":
        older = [v for v in call.notes["before"] if str(v.version_id) != "null"]
        held.keys.setlist(key, [*older, now])
        if call.operation == "CopyObject":
            headers["x-amz-version-id"] = "null"
    name_details(held, now, headers)


def name_details(bucket: Any, held: Any, headers: Any) -> None:
    """Name the encryption of an object, the kind of its checksum, and when it expires."""
    prefix = "x-amz-server-side-encryption"
    for name in (prefix, f"{prefix}-aws-kms-key-id", f"{prefix}-bucket-key-enabled"):
        headers.pop(name, None)
    algorithm = held.encryption or "AES256"
    headers[prefix] = algorithm
    if algorithm != "AES256":
        if held.kms_key_id:
            headers[f"{prefix}-aws-kms-key-id"] = str(held.kms_key_id)
        if str(held.bucket_key_enabled).lower() == "true":
            headers[f"{prefix}-bucket-key-enabled"] = "true"
    if any(name.lower().startswith("x-amz-checksum-") for name, _ in headers):
        headers["x-amz-checksum-type"] = "FULL_OBJECT"
    tags = s3(held.account_id).tagger.get_tag_dict_for_resource(held.arn)
    if expires := expiration(bucket.name, held, tags):
        headers["x-amz-expiration"] = expires


def _read(_state: SandboxState, call: Call, headers: Any) -> None:
    bucket, key = call.uri["Bucket"], call.uri["Key"]
    versions = versions_of(bucket, key)
    version = call.parameters.get("VersionId")
    held = version_of(versions, version, key)
    name_details(bucket_named(bucket), held, headers)
    if bucket_named(bucket).versioning_status:
        headers["x-amz-version-id"] = str(held.version_id)
    if version is not None:
        headers.pop("x-amz-expiration", None)


def _with_version(call: Call, held: Any, status: int) -> Response:
    """Answer without a body, and with the version where there are versions."""
    headers = {}
    if bucket_named(call.uri["Bucket"]).versioning_status:
        headers["x-amz-version-id"] = str(held.version_id)
    return Response(status=status, headers=headers)


def put_tagging(_state: SandboxState, call: Call) -> Response:
    """PutObjectTagging."""
    tags = call.parameters["Tagging"].get("TagSet") or []
    held = existing(call)
    check_tags(tags, of_object=True)
    backend = s3(str(bucket_owner(call.uri["Bucket"])))
    backend.tagger.delete_all_tags_for_resource(held.arn)
    backend.tagger.tag_resource(held.arn, tags)
    return _with_version(call, held, 200)


def get_tagging(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetObjectTagging: of an absent object, S3 names the bucket, too."""
    bucket, key = call.uri["Bucket"], call.uri["Key"]
    if not versions_of(bucket, key):
        raise no_such_key(f"{bucket}/{key}")
    held = existing(call)
    tags = s3(str(bucket_owner(bucket))).get_object_tagging(held)["Tags"]
    versioned = bool(bucket_named(bucket).versioning_status)
    return {"TagSet": tags, **({"VersionId": str(held.version_id)} if versioned else {})}


def delete_tagging(_state: SandboxState, call: Call) -> Response:
    """DeleteObjectTagging."""
    held = existing(call)
    owner = str(bucket_owner(call.uri["Bucket"]))
    s3(owner).tagger.delete_all_tags_for_resource(held.arn)
    return _with_version(call, held, 204)


OPERATIONS: dict[str, Operation] = {
    "CopyObject": copy_object,
    "DeleteObject": delete_object,
    "DeleteObjectTagging": delete_tagging,
    "DeleteObjects": delete_objects,
    "GetObject": get_object,
    "GetObjectTagging": get_tagging,
    "PutObject": put_object,
    "PutObjectTagging": put_tagging,
}
AFTER = {
    "CopyObject": _written,
    "GetObject": _read,
    "HeadObject": _read,
    "PutObject": _written,
}
_CHECKSUM = r"(<(Checksum(?:CRC32C?|CRC64NVME|SHA1|SHA256))>[^<]*</\2>)(?!\s*<ChecksumType>)"
TEXTS = (
    *(
        (operation, _CHECKSUM, r"\1<ChecksumType>FULL_OBJECT</ChecksumType>")
        for operation in ("CopyObject", "GetObjectAttributes")
    ),
    ("PutObject", r"StorageClass>", "StorageClassRequested>"),
)
