"""S3: list objects and their versions in pages, by prefix, in S3's order.

Sources: S3 API Reference, ListObjects, ListObjectsV2 and ListObjectVersions; the order of pages
and the error texts were recorded on AWS.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from moto.s3.models import FakeDeleteMarker

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.s3_acl import canonical_id
from orchestrator.sandbox.state import SandboxState, bucket_owner, s3
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"
_MOST = 1000
_INCORRECT = "The continuation token provided is incorrect"


@dataclass(frozen=True)
class _Entry:
    """What a page counts: an object, a version of one, or all that share a prefix."""

    name: str
    held: Any = None
    latest: bool = False


def _entries(call: Call, *, versions: bool) -> Iterator[_Entry]:
    given, bucket = call.parameters, call.uri["Bucket"]
    prefix, delimiter = given.get("Prefix", ""), given.get("Delimiter", "")
    keys = s3(str(bucket_owner(bucket))).get_bucket(bucket).keys
    shared = None
    for name in sorted(keys, key=str.encode):
        if not name.startswith(prefix):
            continue
        end = name.find(delimiter, len(prefix)) if delimiter else -1
        held = keys.getlist(name)
        if not versions and (not held or isinstance(held[-1], FakeDeleteMarker)):
            continue
        if end >= 0:
            if shared != name[: end + len(delimiter)]:
                shared = name[: end + len(delimiter)]
                yield _Entry(shared)
            continue
        for each in reversed(held) if versions else held[-1:]:
            yield _Entry(name, each, each is held[-1])


def _page(call: Call, entries: list[_Entry]) -> tuple[list[_Entry], int, bool]:
    """Take as many entries as are asked for; whether more are left."""
    size = page_size(call, "MaxKeys", "max-keys")
    return entries[:size], size, 0 < size < len(entries)


def page_size(call: Call, name: str, argument: str) -> int:
    """Get how many entries of a list a call asks for.

    Raises:
        ServiceError: InvalidArgument.
    """
    asked: int = call.parameters.get(name, _MOST)
    if asked < 0:
        raise ServiceError(
            "InvalidArgument",
            f"Argument {argument} must be an integer between 0 and 2147483647",
            ArgumentName=argument,
            ArgumentValue=str(asked),
        )
    return min(asked, _MOST)


def text_of(call: Call) -> Callable[[str], str]:
    """Get the function that encodes keys in the answer (EncodingType).

    Raises:
        ServiceError: the encoding is unknown.
    """
    encoding = call.parameters.get("EncodingType")
    if encoding is None:
        return str
    if encoding != "url":
        raise ServiceError(
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
            ArgumentName="encoding-type",
            ArgumentValue=encoding,
        )
    return lambda text: quote_plus(text, safe="/*~")


def _answer(call: Call, page: list[_Entry], size: int, *, more: bool) -> dict[str, Any]:
    text, given = text_of(call), call.parameters
    answer: dict[str, Any] = {
        "Name": call.uri["Bucket"],
        "Prefix": text(given.get("Prefix", "")),
        "MaxKeys": size,
        "IsTruncated": more,
    }
    if given.get("Delimiter"):
        answer["Delimiter"] = text(given["Delimiter"])
    if given.get("EncodingType"):
        answer["EncodingType"] = given["EncodingType"]
    if prefixes := [{"Prefix": text(entry.name)} for entry in page if entry.held is None]:
        answer["CommonPrefixes"] = prefixes
    return answer


def _owner(call: Call) -> dict[str, str]:
    return {"ID": canonical_id(str(bucket_owner(call.uri["Bucket"])))}


def _object(call: Call, entry: _Entry, *, owner: bool) -> dict[str, Any]:
    held = entry.held
    described = {
        "Key": text_of(call)(entry.name),
        "LastModified": held.last_modified,
        "ETag": held.etag,
        "Size": held.size,
        "StorageClass": held.storage_class,
        **({"Owner": _owner(call)} if owner else {}),
    }
    if held.checksum_algorithm:
        described["ChecksumAlgorithm"] = [held.checksum_algorithm]
        described["ChecksumType"] = getattr(held, "checksum_type", None) or "FULL_OBJECT"
    return described


def list_objects(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListObjects: after a marker, which may be a common prefix."""
    marker = call.parameters.get("Marker", "")
    entries = [e for e in _entries(call, versions=False) if not marker or e.name > marker]
    page, size, more = _page(call, entries)
    answer = _answer(call, page, size, more=more)
    answer["Marker"] = text_of(call)(marker)
    answer["Contents"] = [_object(call, e, owner=True) for e in page if e.held is not None]
    if more and call.parameters.get("Delimiter"):
        answer["NextMarker"] = text_of(call)(page[-1].name)
    return answer


def list_objects_v2(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListObjectsV2: after a token, or else after a name."""
    given = call.parameters
    token, after = given.get("ContinuationToken"), given.get("StartAfter", "")
    start = after if token is None else _of_token(token)
    entries = [e for e in _entries(call, versions=False) if not start or e.name > start]
    page, size, more = _page(call, entries)
    answer = _answer(call, page, size, more=more)
    owner = bool(given.get("FetchOwner"))
    answer["Contents"] = [_object(call, e, owner=owner) for e in page if e.held is not None]
    answer["KeyCount"] = len(page)
    if token is not None:
        answer["ContinuationToken"] = token
    elif after:
        answer["StartAfter"] = text_of(call)(after)
    if more:
        answer["NextContinuationToken"] = _token(page[-1].name)
    return answer


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(f"after {name}".encode()).decode()


def _of_token(token: str) -> str:
    try:
        start, _, name = base64.urlsafe_b64decode(token).decode().partition(" ")
    except (binascii.Error, UnicodeDecodeError):
        start, name = "", ""
    if start != "after":
        raise ServiceError("InvalidArgument", _INCORRECT, ArgumentName="continuation-token")
    return name


def list_object_versions(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListObjectVersions: after a key, or after a version of it."""
    given = call.parameters
    marker, version = given.get("KeyMarker", ""), given.get("VersionIdMarker", "")
    if version and not marker:
        raise ServiceError(
            "InvalidArgument",
            "A version-id marker cannot be specified without a key marker.",
            ArgumentName="version-id-marker",
            ArgumentValue=version,
        )
    entries = list(_after(list(_entries(call, versions=True)), marker, version))
    page, size, more = _page(call, entries)
    answer = _answer(call, page, size, more=more)
    answer.update(KeyMarker=text_of(call)(marker), VersionIdMarker=version)
    held = [e for e in page if e.held is not None]
    answer["Versions"] = [
        {**_object(call, e, owner=True), **_version(e)}
        for e in held
        if not isinstance(e.held, FakeDeleteMarker)
    ]
    answer["DeleteMarkers"] = [
        {
            "Key": text_of(call)(e.name),
            "LastModified": e.held.last_modified,
            "Owner": _owner(call),
            **_version(e),
        }
        for e in held
        if isinstance(e.held, FakeDeleteMarker)
    ]
    if more:
        last = page[-1]
        answer["NextKeyMarker"] = text_of(call)(last.name)
        if last.held is not None:
            answer["NextVersionIdMarker"] = str(last.held.version_id)
    return answer


def _version(entry: _Entry) -> dict[str, Any]:
    return {"VersionId": str(entry.held.version_id), "IsLatest": entry.latest}


def _after(entries: list[_Entry], marker: str, version: str) -> Iterator[_Entry]:
    held = (e for e in entries if e.held is not None and e.name == marker)
    passed = bool(version) and all(str(e.held.version_id) != version for e in held)
    for entry in entries:
        if not marker or entry.name > marker or (entry.name == marker and passed):
            yield entry
        elif entry.held is not None and entry.name == marker and version:
            passed = str(entry.held.version_id) == version


OPERATIONS: dict[str, Operation] = {
    "ListObjectVersions": list_object_versions,
    "ListObjects": list_objects,
    "ListObjectsV2": list_objects_v2,
}
