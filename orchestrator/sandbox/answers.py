"""Correct what moto answers where AWS answers otherwise, by the tables of the services."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from werkzeug.wrappers import Response

from orchestrator.sandbox import iam_pagination, services, wire
from orchestrator.sandbox.discovery import submodules
from orchestrator.sandbox.state import SandboxState, bucket_owner
from orchestrator.sandbox.wire import Call

After = Callable[[SandboxState, Call, Any], None]
_S3_CODE = re.compile(r"<Code>(\w+)</Code>\s*<Message>(.*?)</Message>", re.DOTALL)
_S3_MEMBER = re.compile(r"<(\w+)>([^<]*)</\1>")
_NOT_IN_ERRORS = {"Code", "Message", "RequestID", "RequestId", "HostId"}
# The errors of S3 that name the bucket.
_OF_BUCKET = re.compile(
    r"NoSuch(?!Key|Upload|Version)\w+|\w+NotFoundError|Bucket\w+|InvalidBucketName"
)


@cache
def _after() -> dict[tuple[str, str], After]:
    return {
        (module.SERVICE, operation): function
        for module in submodules(services.__name__)
        for operation, function in getattr(module, "AFTER", {}).items()
    }


@cache
def _texts(service: str, operation: str) -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(pattern, re.DOTALL), text)
        for module in submodules(services.__name__)
        if service == module.SERVICE
        for of, pattern, text in getattr(module, "TEXTS", ())
        if of in ("*", operation)
    ]


def check_bucket(service: str, operation: str, uri: dict[str, Any]) -> None:
    """Refuse a call about a bucket that does not exist.

    Raises:
        wire.ServiceError: NoSuchBucket.
    """
    bucket = uri.get("Bucket")
    if service != "s3" or not bucket or operation == "CreateBucket" or bucket_owner(bucket):
        return
    raise wire.no_such_bucket(str(bucket))


def corrected(state: SandboxState, call: Call, response: Response) -> Response:
    """Run what follows a success, and correct the texts and members of an answer."""
    if response.status_code < 300 and (after := _after().get((call.service, call.operation))):
        with state.lock:
            after(state, call, response.headers)
    texts, in_pages = _texts(call.service, call.operation), iam_pagination.is_paged(call)
    if texts or in_pages:
        body = response.get_data(as_text=True)
        changed = body
        for pattern, text in texts:
            changed = pattern.sub(text, changed)
        if in_pages and response.status_code < 400:
            changed = iam_pagination.page_of(call, changed)
        if changed != body:
            response.set_data(changed)
    if call.service == "s3" and response.status_code >= 400:
        return _s3_error(call, response)
    response.status_code = wire.status_of(call.service, response.status_code)
    return response


def _s3_error(call: Call, response: Response) -> Response:
    """Name the bucket in moto's errors, as S3 does."""
    body = response.get_data(as_text=True)
    found = _S3_CODE.search(body)
    if found is None:
        return response
    members = {n: v for n, v in _S3_MEMBER.findall(body) if n not in _NOT_IN_ERRORS}
    if _OF_BUCKET.fullmatch(found[1]):
        members["BucketName"] = str(call.uri["Bucket"])
    return wire.s3_error(found[1], found[2], response.status_code, members)
