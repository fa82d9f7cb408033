"""S3: reading objects, their versions and parts.

Source: S3 API Reference; the members of the answers and the error texts were recorded on AWS.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Response

from orchestrator.sandbox import wire
from orchestrator.sandbox.object_versions import (
    bucket_named,
    check_version_id,
    existing,
    version_of,
    versions_of,
)
from orchestrator.sandbox.ranges import bounds_of
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.s3_attributes import name_checksum, name_part_checksum
from orchestrator.sandbox.services.s3_objects import name_details
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"


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
    _check_bytes(call)
    return TO_MOTO


def _check_bytes(call: Call) -> None:
    """Refuse bytes or a part that the object does not have, and name its bytes to moto."""
    text, number = call.parameters.get("Range"), call.parameters.get("PartNumber")
    if text is None and number is None:
        return
    if text is not None and number is not None:
        raise ServiceError(
            "InvalidRequest", "Cannot specify both Range header and partNumber query parameter"
        )
    held = existing(call, latest_marker_is_absent=True)
    bounds = _bounds_of_part(held, number) if number else bounds_of(text or "", held.size)
    wanted = "" if bounds is None else f"bytes={bounds[0]}-{bounds[1]}"
    if call.operation == "GetObject":
        call.notes["environ"] = {"HTTP_RANGE": wanted}
    call.notes["is_part"] = bounds not in (None, (0, held.size - 1))


def _bounds_of_part(held: Any, number: int) -> tuple[int, int] | None:
    sizes = [part["Size"] for part in held.multipart.completed] if held.multipart else [held.size]
    if number > len(sizes):
        raise ServiceError(
            "InvalidPartNumber",
            "The requested partnumber is not satisfiable",
            416,
            ActualPartCount=str(len(sizes)),
            PartNumberRequested=str(number),
        )
    first, size = sum(sizes[: number - 1]), sizes[number - 1]
    return (first, first + size - 1) if size else None


def head_object(_state: SandboxState, call: Call) -> Any:
    """HeadObject: moto's, but an invalid version id gets status 400, without a body."""
    bucket, version = bucket_named(call.uri["Bucket"]), call.parameters.get("VersionId")
    try:
        check_version_id(bucket, version)
    except ServiceError:
        return Response(status=400)
    if version and not bucket.versioning_status:  # the null version, which moto refuses
        call.notes["environ"] = {"QUERY_STRING": ""}
    if call.parameters.get("PartNumber"):
        _check_bytes(call)
    return TO_MOTO


def restore_object(_state: SandboxState, call: Call) -> Any:
    """RestoreObject: of an archived object."""
    held = existing(call, latest_marker_is_absent=True)
    if held.storage_class not in _ARCHIVED:
        raise ServiceError(
            "InvalidObjectState",
            "Restore is not allowed for the object's current storage class",
            403,
        )
    return TO_MOTO


_ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")


def get_torrent(_state: SandboxState, _call: Call) -> Any:
    """GetObjectTorrent, which S3 no longer supports."""
    raise ServiceError(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        405,
        Method="GET",
        ResourceType="TORRENT",
    )


def _read(_state: SandboxState, call: Call, headers: Any) -> None:
    bucket, key = call.uri["Bucket"], call.uri["Key"]
    versions = versions_of(bucket, key)
    version = call.parameters.get("VersionId")
    held = version_of(versions, version, key)
    name_details(bucket_named(bucket), held, headers)
    number = call.parameters.get("PartNumber")
    if number and held.multipart:
        headers["x-amz-mp-parts-count"] = str(len(held.multipart.completed))
    if str(call.parameters.get("ChecksumMode")).upper() == "ENABLED":
        if number and held.multipart:
            name_part_checksum(held, number, headers)
        elif not call.notes.get("is_part"):
            name_checksum(held, headers)
    if bucket_named(bucket).versioning_status:
        headers["x-amz-version-id"] = str(held.version_id)
    if version is not None:
        headers.pop("x-amz-expiration", None)


OPERATIONS: dict[str, Operation] = {
    "GetObject": get_object,
    "GetObjectTorrent": get_torrent,
    "HeadObject": head_object,
    "RestoreObject": restore_object,
}
AFTER = {"GetObject": _read, "HeadObject": _read}
