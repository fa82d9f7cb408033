"""S3: the checksums of objects in the answers, and GetObjectAttributes.

Sources: S3 API Reference; S3 User Guide, "Checking object integrity in Amazon S3". What is said of
the parts of an object was recorded on AWS.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.checksums import DEFAULT, checksum, given_checksums
from orchestrator.sandbox.object_versions import bucket_named, existing
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"
_MOST = 1000
_ATTRIBUTES = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}


def note_checksum(held: Any, given: dict[str, Any]) -> None:
    """Keep the checksum of an object: that of CRC64NVME, if its writer gave none."""
    for algorithm, value in given_checksums(given).items():
        held.checksum_algorithm, held.checksum_value = algorithm, value
    if not getattr(held, "checksum_algorithm", None):
        held.checksum_algorithm = DEFAULT
        held.checksum_value = checksum(DEFAULT, held.value)


def name_checksum(held: Any, headers: Any) -> None:
    """Name an object's checksum in an answer's headers; that of parts says how many they are."""
    if not getattr(held, "checksum_algorithm", None):
        return
    value = held.checksum_value
    if _kind(held) == "COMPOSITE":
        value = f"{held.composite_value}-{len(held.multipart.completed)}"
    headers[f"x-amz-checksum-{held.checksum_algorithm.lower()}"] = value
    headers["x-amz-checksum-type"] = _kind(held)


def name_part_checksum(held: Any, number: int, headers: Any) -> None:
    """Name the checksum of a part, if the upload was begun with an algorithm."""
    algorithm = held.multipart.algorithm
    if algorithm:
        part = held.multipart.completed[number - 1]
        headers[f"x-amz-checksum-{algorithm.lower()}"] = part[f"Checksum{algorithm}"]
        headers["x-amz-checksum-type"] = _kind(held)


def _kind(held: Any) -> str:
    return getattr(held, "checksum_type", None) or "FULL_OBJECT"


def get_attributes(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetObjectAttributes: those that are asked for, and that the object has."""
    given = call.parameters
    asked = set(given.get("ObjectAttributes") or ())
    if not asked <= _ATTRIBUTES:
        raise ServiceError(
            "InvalidArgument",
            "Invalid attribute name specified.",
            ArgumentName="x-amz-object-attributes",
        )
    held = existing(call, latest_marker_is_absent=True)
    found: dict[str, Any] = {
        "ETag": held.etag.strip('"'),
        "ObjectSize": held.size,
        "StorageClass": held.storage_class,
    }
    if getattr(held, "checksum_algorithm", None):
        name = f"Checksum{held.checksum_algorithm}"
        is_composite = _kind(held) == "COMPOSITE"
        value = held.composite_value if is_composite else held.checksum_value
        found["Checksum"] = {name: value, "ChecksumType": _kind(held)}
    if held.multipart:
        found["ObjectParts"] = _parts(held, given)
    answer = {name: value for name, value in found.items() if name in asked}
    answer["LastModified"] = held.last_modified
    if bucket_named(call.uri["Bucket"]).versioning_status:
        answer["VersionId"] = str(held.version_id)
    return answer


def _parts(held: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Describe the parts; each one only where the object's checksum is one of theirs."""
    parts = held.multipart.completed
    if _kind(held) != "COMPOSITE":
        return {"TotalPartsCount": len(parts)}
    marker, size = given.get("PartNumberMarker") or 0, given.get("MaxParts") or _MOST
    left = [part for part in parts if part["PartNumber"] > marker]
    described: dict[str, Any] = {
        "TotalPartsCount": len(parts),
        "PartNumberMarker": marker,
        "NextPartNumberMarker": left[:size][-1]["PartNumber"] if left[:size] else 0,
        "MaxParts": min(size, _MOST),
        "IsTruncated": len(left) > size,
    }
    return {**described, "Parts": left[:size]} if left[:size] else described


OPERATIONS: dict[str, Operation] = {"GetObjectAttributes": get_attributes}
