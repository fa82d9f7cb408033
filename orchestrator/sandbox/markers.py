"""The markers by which IAM and KMS list in pages: where the next page begins."""

from __future__ import annotations

import base64

_OFFSET = b"offset:"


def marker_at(offset: int) -> str:
    """Write the marker of a page that begins at an offset."""
    return base64.b64encode(b"%b%d" % (_OFFSET, offset)).decode()


def offset_of(marker: str | None) -> int:
    """Read where a page begins: at 0 without a marker.

    Raises:
        ValueError: it is none of these markers.
    """
    if marker is None:
        return 0
    return int(base64.b64decode(marker, validate=True).removeprefix(_OFFSET))
