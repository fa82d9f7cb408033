"""Octo's errors: ``{code, message, details}`` with gRPC codes, at the HTTP statuses of a gateway.

Source: grpc-gateway's mapping of google.rpc.Code to HTTP.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.wire import ServiceError

_STATUSES = {3: 400, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 13: 500, 14: 503, 16: 401}
_INJECTED = {
    "InvalidArgument": 3,
    "NotFound": 5,
    "AlreadyExists": 6,
    "PermissionDenied": 7,
    "ResourceExhausted": 8,
    "FailedPrecondition": 9,
    "Internal": 13,
    "Unavailable": 14,
    "Unauthenticated": 16,
    "ExpiredToken": 16,
    "BrokenStream": 13,
}


class ApiError(Exception):
    """An error as Octo answers it.

    ``expires_token`` also revokes the caller's token; ``breaks_stream`` is sent as a line of a
    stream that began with status 200.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: int | None = None,
        retry_after: int | None = None,
        expires_token: bool = False,
        breaks_stream: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status or _STATUSES[code]
        self.body: dict[str, Any] = {"code": code, "message": message, "details": []}
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        self.expires_token = expires_token
        self.breaks_stream = breaks_stream


def unauthenticated() -> ApiError:
    """Make the error for a token that is unknown or has expired."""
    return ApiError(16, "token is invalid or expired")


def from_injected(error: ServiceError) -> ApiError:
    """Convert an injected error: a gRPC code's name, ``ExpiredToken`` or ``BrokenStream``."""
    name = str(error.code)
    return ApiError(
        _INJECTED.get(name, 13),
        f"Injected fault: {name}",
        retry_after=1 if name == "ResourceExhausted" else None,
        expires_token=name == "ExpiredToken",
        breaks_stream=name == "BrokenStream",
    )
