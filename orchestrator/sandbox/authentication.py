"""Find out who makes a request: by its access key, and by its signature."""

from __future__ import annotations

from moto.core.request import Request

from orchestrator.sandbox import signature, wire
from orchestrator.sandbox.state import Caller, SandboxState
from orchestrator.sandbox.wire import CredentialScope, ServiceError

_UNSIGNED = ("AssumeRoleWithWebIdentity",)  # whoever has a token may call it
_NOBODY = "anonymous"
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
        ServiceError: its access key is unknown, or it was signed with another secret.
    """
    if scope.access_key == _NOBODY:
        return Caller("", "", "user", "")
    caller = state.caller(scope.access_key)
    if caller is None:
        raise _unknown_key(scope.service)
    if not signature.is_valid(request, state.secret(scope.access_key)):
        raise _wrong_signature(scope.service)
    return caller


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
