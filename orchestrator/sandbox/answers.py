"""Answers that were given and did not arrive: the SDK asks again, and gets them again.

SDKs number the attempts of one call (`amz-sdk-invocation-id`, `amz-sdk-request`: the headers of
AWS SDK for Go v2 and botocore). A busy machine now and then loses an answer that was sent; without
this, what was just made "exists already" (docs/decisions/0030).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

_KEPT = 1_000
_READS = ("Describe", "Get", "Head", "List")  # done twice, they do no harm


class Answers:
    """The newest answers to calls that changed something."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[bytes, int, list[tuple[str, str]]]] = OrderedDict()

    def keep(self, environ: Mapping[str, Any], operation: str, response: Response) -> None:
        """Keeps the answer to a call, unless it is an error or the call reads only."""
        attempted = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if not attempted or response.status_code >= 300 or operation.startswith(_READS):
            return
        kept = (response.get_data(), response.status_code, response.headers.to_wsgi_list())
        with self._lock:
            self._kept[attempted] = kept
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def again(self, environ: Mapping[str, Any]) -> Response | None:
        """The answer that an earlier attempt of this call was given, or nothing."""
        with self._lock:
            kept = self._kept.get(environ.get("HTTP_AMZ_SDK_INVOCATION_ID", ""))
        return Response(*kept) if kept else None
