"""Find out who makes a request: by its access key, and by its signature."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

from botocore.exceptions import DataNotFoundError
from moto.core.request import Request
from moto.core.utils import get_service_model
from moto.iam.models import AccessKeyLastUsed
from werkzeug.wrappers import Response

from orchestrator.sandbox import signature, wire
from orchestrator.sandbox.state import Caller, SandboxState, bucket_owner, iam, role
from orchestrator.sandbox.wire import CredentialScope, ServiceError

_UNSIGNED = ("AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")  # whoever has a token may call
_NOBODY = "anonymous"
_TOKEN = "X-Amz-Security-Token"  # noqa: S105  (the header's name)
_S3 = ("s3", "s3control")
_PROTOCOLS_IN_XML = ("query", "rest-xml")
# The codes of each refusal, in XML and in JSON.
_CODES = {
    "incomplete": ("IncompleteSignature", "IncompleteSignatureException"),
    "expired": ("ExpiredToken", "ExpiredTokenException"),
    "key": ("InvalidClientTokenId", "UnrecognizedClientException"),
    "signature": ("SignatureDoesNotMatch", "InvalidSignatureException"),
}
# The services of the query protocol by their version, which unsigned requests are known by.
_VERSIONS = {"2010-05-08": "iam", "2010-05-15": "cloudformation", "2011-06-15": "sts"}


def scope_of(request: Request) -> CredentialScope | None:
    """Get the credential scope of a request; None if it should be signed and is not."""
    scope = wire.scope_of(request)
    if scope is None and request.values.get("Action") in _UNSIGNED:
        return CredentialScope(_NOBODY, "us-east-1", "sts")
    return scope


def refuse_unsigned(request: Request) -> Response:
    """Answer a request without a signature, in the protocol that it was sent in."""
    if "X-Amz-Target" in request.headers:
        text = "Missing Authentication Token"
        return wire.plain_json(ServiceError("MissingAuthenticationTokenException", text))
    if "Action" in request.values:
        service = _VERSIONS.get(str(request.values.get("Version")), "sts")
        if "Authorization" in request.headers and (lacking := signature.lacking(request)):
            return wire.failure(request, service, None, _refused(service, "incomplete", lacking))
        text = "Request is missing Authentication Token"
        error = ServiceError("MissingAuthenticationToken", text, 403)
        return wire.failure(request, service, None, error)
    if "json" in (request.content_type or ""):
        text = "Missing Authentication Token"
        return wire.plain_json(ServiceError("MissingAuthenticationTokenException", text, 403))
    bucket = request.path.strip("/").partition("/")[0]
    is_tunnel = request.method == "CONNECT"  # to another host, as of a proxy
    if bucket and not is_tunnel and not bucket_owner(bucket):
        return wire.failure(request, "s3", None, wire.no_such_bucket(bucket))
    return wire.failure(request, "s3", None, ServiceError("AccessDenied", "Access Denied", 403))


def caller_of(state: SandboxState, request: Request, scope: CredentialScope) -> Caller:
    """Get the caller of a request.

    Raises:
        ServiceError: its access key or session token is unknown or has expired, or it was signed
            with another secret.
    """
    if scope.access_key == _NOBODY:
        return Caller("", "", "user", "")
    if lacking := signature.lacking(request):
        raise _refused(scope.service, "incomplete", lacking)
    caller = state.caller(scope.access_key)
    if caller is None:
        raise _unknown_key(scope.service)
    _check_token(state, request, scope)
    if scope.access_key in state.sessions and not _exists(caller):
        raise _unknown_key(scope.service)
    if caller.has_mfa is False and scope.service == "iam":
        raise _unknown_key(scope.service)  # as IAM answers GetSessionToken's keys without MFA
    _check_time(request, scope.service)
    if not signature.is_valid(request, state.secret(scope.access_key)):
        raise _wrong_signature(scope.service)
    _note_use(scope, caller)
    return caller


def _exists(caller: Caller) -> bool:
    """Whether the role or user of temporary credentials still is there."""
    own = iam(caller.account_id)
    if caller.kind == "role":
        return role(caller.account_id, caller.name) is not None
    return caller.kind == "root" or caller.name in own.users


def _note_use(scope: CredentialScope, caller: Caller) -> None:
    """Note where a key, or a role, was used last."""
    now = datetime.now(timezone.utc)
    held = role(caller.account_id, caller.name) if caller.kind == "role" else None
    if held is not None:
        held.last_used, held.last_used_region = now, scope.region
    key = iam(caller.account_id).access_keys.get(scope.access_key)
    if key is not None:
        key.last_used = AccessKeyLastUsed(now, scope.service, scope.region)


def _check_token(state: SandboxState, request: Request, scope: CredentialScope) -> None:
    token, session = request.headers.get(_TOKEN), state.sessions.get(scope.access_key)
    is_s3 = scope.service in _S3
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
    raise _refused(scope.service, "expired", text)


def _check_time(request: Request, service: str) -> None:
    """Refuse a signature of another time; AWS's clocks and the caller's may differ by minutes."""
    signed, now = signature.signed_at(request), datetime.now(timezone.utc)
    is_s3 = service in _S3
    minutes = 15 if is_s3 or service in ("iam", "sts") else 5
    allowed = timedelta(minutes=minutes)
    if signed is None or abs(now - signed) <= allowed:
        return
    if is_s3:
        text = "The difference between the request time and the current time is too large."
        members = {
            "RequestTime": f"{signed:{signature.TIME}}",
            "ServerTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "MaxAllowedSkewMilliseconds": str(minutes * 60 * 1000),
        }
        raise ServiceError("RequestTimeTooSkewed", text, 403, **members)
    what, sign = ("expired", "-") if signed < now else ("not yet current", "+")
    than = "now earlier" if signed < now else "still later"
    limit = now - allowed if signed < now else now + allowed
    text = (
        f"Signature {what}: {signed:{signature.TIME}} is {than} than {limit:{signature.TIME}}"
        f" ({now:{signature.TIME}} {sign} {minutes} min.)"
    )
    raise _refused(service, "expired" if service == "ec2" else "signature", text)


def _unknown_key(service: str) -> ServiceError:
    if service in _S3:
        text = "The AWS Access Key Id you provided does not exist in our records."
        return ServiceError("InvalidAccessKeyId", text, 403)
    text = "The security token included in the request is invalid."
    return _refused(service, "key", text)


def _wrong_signature(service: str) -> ServiceError:
    text = "The request signature we calculated does not match the signature you provided. "
    if service in _S3:
        text += "Check your key and signing method."
    else:
        text += (
            "Check your AWS Secret Access Key and signing method. Consult the service documentation"
            " for details."
        )
    return _refused(service, "signature", text)


def _refused(service: str, kind: str, text: str) -> ServiceError:
    """Make the error of credentials or a signature that are not accepted.

    The status of an answer in JSON is another one (``wire.status_of``), but for REST services.
    """
    if service in _S3:
        if kind == "incomplete":
            text = "The authorization header is malformed."
            return ServiceError("AuthorizationHeaderMalformed", text)
        return ServiceError("SignatureDoesNotMatch", text, 403)
    if service == "ec2":
        if kind == "expired":
            return ServiceError("RequestExpired", "Request has expired.")
        text = "AWS was not able to validate the provided access credentials"
        return ServiceError("AuthFailure", text, 401)
    try:
        in_xml = get_service_model(service).protocol in _PROTOCOLS_IN_XML
    except DataNotFoundError:
        in_xml = False
    status = 400 if in_xml and kind == "incomplete" else 403
    return ServiceError(_CODES[kind][0 if in_xml else 1], text, status)
