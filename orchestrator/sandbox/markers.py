"""Pagination markers for the lists of IAM and KMS: each encodes the offset of a page."""

from __future__ import annotations

import base64

_OFFSET = b"offset:"


def marker_at(offset: int) -> str:
    """Write the marker of a page that begins at an offset."""
    return base64.b64encode(b"%b%d" % (_OFFSET, offset)).decode()


def offset_of(marker: str | None) -> int:
    """Return the offset at which the marker's page begins; 0 without a marker.

    Raises:
        ValueError: ``marker_at`` has not written it.
    """
    if marker is None:
        return 0
    offset = int(base64.b64decode(marker, validate=True).removeprefix(_OFFSET))
    if offset < 1 or marker_at(offset) != marker:
        raise ValueError(marker)
    return offset
