"""Find out who makes a request: by its access key, and by its signature."""

from __future__ import annotations

import time

from moto.core.request import Request

from orchestrator.sandbox import signature, wire
from orchestrator.sandbox.state import Caller, SandboxState
from orchestrator.sandbox.wire import CredentialScope, ServiceError

_UNSIGNED = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")  # whoever has a token may call
_NOBODY = "anonymous"
_TOKEN = "X-Amz-Security-Token"  # noqa: S105  (the header's name)
_XML_SERVICES = ("sts", "iam", "cloudformation")


def scope_of(request: Request) -> CredentialScope | None:
    """Get the credential scope of a request; None if it should be signed and is not."""
    scope = wire.scope_of(request)
    if scope is None and request.values.get("Action") in _UNSIGNED:
        return CredentialScope(_NOBODY, "us-east-1", "sts")
    return scope


def caller_of(state: SandboxState, request: Request, scope: CredentialScope) -> Caller:
    """Get the caller of a request.

    Raises:
        ServiceError: its access key or session token is unknown or has expired, or it was signed
            with another secret.
    """
    if scope.access_key == _NOBODY:
        return Caller("", "", "user", "")
    caller = state.caller(scope.access_key)
    if caller is None:
        raise _unknown_key(scope.service)
    _check_token(state, request, scope)
    if caller.has_mfa is False and scope.service == "iam":
        raise _unknown_key(scope.service)  # as IAM answers GetSessionToken's keys without MFA
    if not signature.is_valid(request, state.secret(scope.access_key)):
        raise _wrong_signature(scope.service)
    return caller


def _check_token(state: SandboxState, request: Request, scope: CredentialScope) -> None:
    token, session = request.headers.get(_TOKEN), state.sessions.get(scope.access_key)
    is_s3 = scope.service in ("s3", "s3control")
    if token != (session.token if session else None):
        if is_s3 and token is not None:
            text = "The provided token is malformed or otherwise invalid."
            raise ServiceError("InvalidToken", text)
        raise _unknown_key(scope.service)
    if session is None or time.time() < session.expires:
        return
    if is_s3:
        raise ServiceError("ExpiredToken", "The provided token has expired.")
    text = "The security token included in the request is expired"
    if scope.service in _XML_SERVICES:
        raise ServiceError("ExpiredToken", text, 403)
    raise ServiceError("ExpiredTokenException", text)


def _unknown_key(service: str) -> ServiceError:
    if service in ("s3", "s3control"):
        text = "The AWS Access Key Id you provided does not exist in our records."
        return ServiceError("InvalidAccessKeyId", text, 403)
    text = "The security token included in the request is invalid."
    if service in _XML_SERVICES:
        return ServiceError("InvalidClientTokenId", text, 403)
    return ServiceError("UnrecognizedClientException", text)


def _wrong_signature(service: str) -> ServiceError:
    text = "The request signature we calculated does not match the signature you provided. "
    if service in ("s3", "s3control"):
        text += "Check your key and signing method."
        return ServiceError("SignatureDoesNotMatch", text, 403)
    text += (
        "Check your AWS Secret Access Key and signing method. Consult the service documentation"
        " for details."
    )
    if service in _XML_SERVICES:
        return ServiceError("SignatureDoesNotMatch", text, 403)
    return ServiceError("InvalidSignatureException", text)
