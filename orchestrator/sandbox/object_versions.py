"""The versions of objects in S3, and the errors of those that do not exist.

moto forgets older versions where versioning is suspended, and its version ids are UUIDs.
Sources: S3 API Reference, "Error responses"; S3 User Guide, "Working with objects in a
versioning-suspended bucket". The texts were recorded on AWS.
"""

from __future__ import annotations

import re
import secrets
import string
from typing import Any

from moto.s3.models import FakeBucket, FakeDeleteMarker, FakeKey

from orchestrator.sandbox.state import bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

_VERSION_ID = re.compile(r"null|[\w.-]{32}|[0-9a-f-]{36}")
_CHARACTERS = f"{string.ascii_letters}{string.digits}._"
_NOT_ALLOWED = "The specified method is not allowed against this resource."


def new_version_id(bucket: Any) -> str:
    """Make the id of a new version, or of a delete marker."""
    if bucket.versioning_status != "Enabled":
        return "null"
    return "".join(secrets.choice(_CHARACTERS) for _ in range(32))


def _keep_versions() -> None:
    """Have moto keep older versions where versioning is suspended, and use ``new_version_id``."""
    made = FakeKey.__init__

    def make(held: Any, *arguments: Any, **given: Any) -> None:
        if given.get("is_versioned"):
            given["version_id"] = new_version_id(bucket_named(given["bucket_name"]))
        made(held, *arguments, **given)

    FakeKey.__init__ = make
    FakeBucket.is_versioned = property(lambda bucket: bucket.versioning_status is not None)


def bucket_named(name: str) -> Any:
    """Get moto's bucket, whoever owns it."""
    return s3(str(bucket_owner(name))).get_bucket(name)


def versions_of(bucket: str, key: str) -> list[Any]:
    """The versions of an object and its delete markers, the oldest first."""
    return list(bucket_named(bucket).keys.getlist(key, []))


def no_such_key(key: str) -> ServiceError:
    """Make the error of an object that does not exist."""
    return ServiceError("NoSuchKey", "The specified key does not exist.", 404, Key=key)


def check_version_id(bucket: Any, version: str | None) -> None:
    """Refuse what is no id of a version, or any in a bucket without versions.

    Raises:
        ServiceError: InvalidArgument.
    """
    if version is None or (
        _VERSION_ID.fullmatch(version) and (bucket.versioning_status or version == "null")
    ):
        return
    raise ServiceError(
        "InvalidArgument",
        "Invalid version id specified",
        ArgumentName="versionId",
        ArgumentValue=version,
    )


def version_of(versions: list[Any], version: str | None, key: str) -> Any:
    """Find a version, or the latest one.

    Raises:
        ServiceError: NoSuchVersion, or NoSuchKey.
    """
    if version is None:
        if not versions:
            raise no_such_key(key)
        return versions[-1]
    found = next((v for v in versions if str(v.version_id) == version), None)
    if found is None:
        raise ServiceError(
            "NoSuchVersion",
            "The specified version does not exist.",
            404,
            Key=key,
            VersionId=version,
        )
    return found


def existing(call: Call, *, latest_marker_is_absent: bool = False) -> Any:
    """Get the object, or the version of it, that a call names.

    Raises:
        ServiceError: there is none, or it is a delete marker.
    """
    bucket, key = call.uri["Bucket"], call.uri["Key"]
    version = call.parameters.get("VersionId")
    check_version_id(bucket_named(bucket), version)
    found = version_of(versions_of(bucket, key), version, key)
    if not isinstance(found, FakeDeleteMarker):
        return found
    if version is None and latest_marker_is_absent:
        raise no_such_key(key)
    raise ServiceError(
        "MethodNotAllowed",
        _NOT_ALLOWED,
        405,
        Method=call.operation.partition("Object")[0].upper(),
        ResourceType="DeleteMarker",
    )


_keep_versions()
