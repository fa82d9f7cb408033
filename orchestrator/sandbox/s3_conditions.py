"""S3: the conditions of calls that write objects.

Source: S3 User Guide, "Conditional writes"; the error texts were recorded on AWS.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from moto.s3.models import FakeDeleteMarker

from orchestrator.sandbox.object_versions import no_such_key, versions_of
from orchestrator.sandbox.wire import Call, ServiceError


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


def check_conditions(call: Call) -> None:
    """Check If-Match and If-None-Match of an object to be written.

    Raises:
        ServiceError: as S3 answers.
    """
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


def check_source_conditions(call: Call, source: Any) -> None:
    """Check what the source of a copy must be.

    Raises:
        ServiceError: PreconditionFailed.
    """
    given, etag, written = call.parameters, source.etag.strip('"'), _utc(source.last_modified)
    prefix = "x-amz-copy-source-If-"
    match, none_match = given.get("CopySourceIfMatch"), given.get("CopySourceIfNoneMatch")
    unmodified = _utc(given.get("CopySourceIfUnmodifiedSince"))
    modified = _utc(given.get("CopySourceIfModifiedSince"))
    if match and match.strip('"') != etag:
        raise _failed(f"{prefix}Match")
    if not match and unmodified and written > unmodified:
        raise _failed(f"{prefix}Unmodified-Since")
    if none_match and none_match.strip('"') == etag:
        raise _failed(f"{prefix}None-Match")
    is_past = modified and modified <= datetime.now(timezone.utc)
    if not none_match and modified and is_past and written <= modified:
        raise _failed(f"{prefix}Modified-Since")


def _utc(date: datetime | None) -> Any:
    return date.replace(tzinfo=timezone.utc) if date and date.tzinfo is None else date
