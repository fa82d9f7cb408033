"""Send the first response again when an SDK retries a call that was done.

SDKs number the attempts of one call (`amz-sdk-invocation-id`, `amz-sdk-request`: the headers of
AWS SDK for Go v2 and botocore). A busy machine now and then loses a response that was sent; without
this, the retry of a create would be answered "already exists" (docs/decisions/0030).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from orchestrator.sandbox.changes import only_reads

_KEPT = 1_000


class SentResponses:
    """The latest responses to calls that change something."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[bytes, int, list[tuple[str, str]]]] = OrderedDict()

    def keep(self, environ: Mapping[str, Any], operation: str, response: Response) -> None:
        """Keep the response to a call, unless it is an error or the call changes nothing."""
        attempted = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if not attempted or response.status_code >= 300 or only_reads(operation):
            return
        kept = (response.get_data(), response.status_code, response.headers.to_wsgi_list())
        with self._lock:
            self._kept[attempted] = kept
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def find(self, environ: Mapping[str, Any]) -> Response | None:
        """Get the response to an earlier attempt of this call; None if there is none."""
        with self._lock:
            kept = self._kept.get(environ.get("HTTP_AMZ_SDK_INVOCATION_ID", ""))
        return Response(*kept) if kept else None
