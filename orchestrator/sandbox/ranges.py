"""The ranges of bytes that calls of S3 read or copy.

Source: RFC 9110, section 14; S3 ignores a malformed range and returns the whole object. The
error texts were recorded on AWS.
"""

from __future__ import annotations

import re

from orchestrator.sandbox.wire import ServiceError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_OF_COPY = re.compile(r"bytes=(\d+)-(\d+)")


def bounds_of(text: str, size: int) -> tuple[int, int] | None:
    """Get the first and last byte of a range; None where S3 ignores it.

    Raises:
        ServiceError: InvalidRange.
    """
    found = _RANGE.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    if not found[1]:  # the last bytes
        first, last = max(size - int(found[2]), 0), size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
        if found[2] and int(found[2]) < first:
            return None
    if first >= size:
        raise ServiceError(
            "InvalidRange",
            "The requested range is not satisfiable",
            416,
            ActualObjectSize=str(size),
            RangeRequested=text,
        )
    return first, last


def check_copied(text: str, size: int) -> None:
    """Check the range of the object of which a part is copied.

    Raises:
        ServiceError: InvalidArgument or InvalidRequest.
    """
    found = _OF_COPY.fullmatch(text)
    if found is None or int(found[2]) < int(found[1]):
        message = (
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first"
            " and last are the zero-based offsets of the first and last bytes to copy"
        )
    elif int(found[1]) >= size:
        raise ServiceError(
            "InvalidRequest", "The specified copy range is invalid for the source object size"
        )
    elif int(found[2]) >= size:
        message = f"Range specified is not valid for source object of size: {size}"
    else:
        return
    raise ServiceError(
        "InvalidArgument",
        message,
        ArgumentName="x-amz-copy-source-range",
        ArgumentValue=text,
    )
