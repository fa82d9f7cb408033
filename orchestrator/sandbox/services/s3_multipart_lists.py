"""S3: list the uploads that are under way, and the parts of one.

Source: S3 API Reference, ListMultipartUploads and ListParts; the order of the uploads, the members
of the answers and the error text were recorded on AWS.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.sandbox.object_versions import bucket_named
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.s3_acl import canonical_id
from orchestrator.sandbox.services.s3_listing import page_size, text_of
from orchestrator.sandbox.services.s3_multipart import part_of, upload_of
from orchestrator.sandbox.state import SandboxState, bucket_owner
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "s3"


def _people(call: Call, upload: Any) -> dict[str, Any]:
    owner = {"ID": canonical_id(str(bucket_owner(call.uri["Bucket"])))}
    return {"Owner": owner, "Initiator": upload.initiator, "StorageClass": upload.storage}


def _checksum_of(upload: Any) -> dict[str, str]:
    if not upload.algorithm:
        return {}
    return {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.kind}


def list_parts(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListParts: after a part's number."""
    upload, given = upload_of(call), call.parameters
    marker, size = given.get("PartNumberMarker", 0), page_size(call, "MaxParts", "max-parts")
    left = [number for number in sorted(upload.parts) if number > marker]
    answer = {
        "Bucket": call.uri["Bucket"],
        "Key": call.uri["Key"],
        "UploadId": upload.id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": left[:size][-1] if left[:size] else 0,
        "MaxParts": size,
        "IsTruncated": len(left) > size,
        **_people(call, upload),
        **_checksum_of(upload),
    }
    if left[:size]:
        answer["Parts"] = [part_of(upload, number) for number in left[:size]]
    return answer


def list_uploads(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListMultipartUploads: after a key, or after an upload of it."""
    text, given = text_of(call), call.parameters
    marker = given.get("KeyMarker", "")
    after = given.get("UploadIdMarker", "") if marker else ""
    size = page_size(call, "MaxUploads", "max-uploads")
    entries = list(_entries(call, marker, after))
    page = entries[:size]
    uploads = [entry for entry in page if not isinstance(entry, str)]
    last = page[-1] if page and not isinstance(page[-1], str) else None
    answer: dict[str, Any] = {
        "Bucket": call.uri["Bucket"],
        "KeyMarker": text(marker),
        "UploadIdMarker": after,
        "NextKeyMarker": text(last.key_name) if last else "",
        "NextUploadIdMarker": last.id if last else "",
        "MaxUploads": size,
        "IsTruncated": len(entries) > size,
        **{name: given[name] for name in ("EncodingType",) if given.get(name)},
        **{name: text(given[name]) for name in ("Prefix", "Delimiter") if given.get(name)},
    }
    if uploads:
        answer["Uploads"] = [
            {
                "UploadId": upload.id,
                "Key": text(upload.key_name),
                "Initiated": upload.initiated,
                **_people(call, upload),
                **_checksum_of(upload),
            }
            for upload in uploads
        ]
    if shared := [entry for entry in page if isinstance(entry, str)]:
        answer["CommonPrefixes"] = [{"Prefix": text(prefix)} for prefix in shared]
    return answer


def _entries(call: Call, marker: str, after: str) -> Iterator[Any]:
    """Yield uploads by key and age, and the prefixes that others share, after the markers."""
    given, every = call.parameters, bucket_named(call.uri["Bucket"]).multiparts
    prefix, delimiter = given.get("Prefix", ""), given.get("Delimiter", "")
    if after and (after not in every or every[after].key_name != marker):
        raise ServiceError(
            "InvalidArgument",
            "Invalid uploadId marker",
            ArgumentName="upload-id-marker",
            ArgumentValue=after,
        )
    passed, shared = False, ""
    for upload in sorted(every.values(), key=lambda upload: upload.key_name.encode()):
        name = upload.key_name
        if not name.startswith(prefix):
            continue
        end = name.find(delimiter, len(prefix)) if delimiter else -1
        if end >= 0:
            if shared != name[: end + len(delimiter)]:
                shared = name[: end + len(delimiter)]
                if shared > marker:
                    yield shared
        elif name > marker or (name == marker and passed):
            yield upload
        passed |= upload.id == after


OPERATIONS: dict[str, Operation] = {
    "ListMultipartUploads": list_uploads,
    "ListParts": list_parts,
}
