"""S3: deleting objects, their versions and their delete markers.

Source: S3 API Reference, DeleteObject and DeleteObjects; S3 User Guide, "Working with objects in a
versioning-suspended bucket".
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moto.s3.models import FakeDeleteMarker

from orchestrator.sandbox.object_versions import (
    bucket_named,
    check_version_id,
    new_version_id,
    version_of,
    versions_of,
)
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.s3_object_lock import is_protected, protected
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError, malformed_xml

SERVICE = "s3"
_MOST = 1000


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
    marker._version_id = new_version_id(bucket)
    if bucket.versioning_status == "Suspended":
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
    _check_lock(call, call.uri["Key"], version)
    return _delete(bucket, call.uri["Key"], version)


def _check_lock(call: Call, key: str, version: str | None) -> None:
    """Refuse the deletion of a version that Object Lock protects."""
    bypass = bool(call.parameters.get("BypassGovernanceRetention"))
    for held in versions_of(call.uri["Bucket"], key):
        if str(held.version_id) == version and is_protected(held, bypass=bypass):
            raise protected()


def check(_state: SandboxState, call: Call) -> None:
    """Refuse to bypass retention in a bucket without Object Lock.

    Raises:
        ServiceError: InvalidArgument.
    """
    if call.operation not in OPERATIONS or "BypassGovernanceRetention" not in call.parameters:
        return
    if not bucket_named(call.uri["Bucket"]).object_lock_enabled:
        header = "x-amz-bypass-governance-retention"
        raise ServiceError(
            "InvalidArgument",
            f"{header} is only applicable to Object Lock enabled buckets.",
            ArgumentName=header,
        )


def delete_objects(_state: SandboxState, call: Call) -> Any:
    """DeleteObjects: each by itself; versions that do not exist are errors."""
    bucket, asked = call.uri["Bucket"], call.parameters["Delete"]
    if len(asked["Objects"]) > _MOST:
        raise malformed_xml()
    deleted, errors = [], []
    for named in asked["Objects"]:
        key, version = named["Key"], named.get("VersionId")
        try:
            if version is not None:
                version_of(versions_of(bucket, key), version, key)
            _check_lock(call, key, version)
        except ServiceError as error:
            named = {"Key": key, **({"VersionId": version} if version is not None else {})}
            errors.append({"Code": error.code, "Message": error.message, **named})
            continue
        said = _delete(bucket, key, version)
        entry = {"Key": key, **({"VersionId": version} if version is not None else {})}
        if said.get("DeleteMarker"):
            entry.update(DeleteMarker=True, DeleteMarkerVersionId=said["VersionId"])
        deleted.append(entry)
    answer: dict[str, Any] = {"Deleted": deleted} if deleted and not asked.get("Quiet") else {}
    return {**answer, "Errors": errors} if errors else answer


OPERATIONS: dict[str, Operation] = {
    "DeleteObject": delete_object,
    "DeleteObjects": delete_objects,
}
