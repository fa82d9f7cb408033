"""The errors of AWS calls: what other layers may catch, and how users are told of them.

A call raises one of ``CALL_ERRORS``: ``ServiceError`` where AWS answers with an error code, or
another error of botocore where no answer comes. ``explained`` turns all of them into ``AwsError``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSLError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from orchestrator.errors import AccessDenied, AwsError

ServiceError = ClientError
CALL_ERRORS = (ClientError, BotoCoreError)

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
_NOT_FOUND = {
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "StackSetNotFoundException",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN_KEY = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthFailure",
}
_ACTION = re.compile(r"not authorized to perform: ([\w-]+:\w+)")


def code_of(error: ServiceError) -> str:
    """Return the error's code, e.g. ``NoSuchEntity``; a HEAD request has its HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(error: ServiceError) -> bool:
    """Tell whether the caller lacks the permission for the call."""
    return code_of(error) in _DENIED


def is_not_found(error: ServiceError) -> bool:
    """Tell whether the role, bucket, object or StackSet of the call does not exist."""
    return code_of(error) in _NOT_FOUND


def denied_action(error: ServiceError) -> str | None:
    """Return the IAM action that was denied, if the message names it."""
    match = _ACTION.search(str(error))
    return match[1] if match else None


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn errors of AWS calls in the block into an AwsError that says what was being done.

    Args:
        doing: like ``reading the organization``; messages begin with it.

    Raises:
        AccessDenied: the caller lacks a permission, which the hint names.
        AwsError: any other error of ``CALL_ERRORS``.
    """
    try:
        yield
    except ClientError as error:
        raise _of_service(error, doing) from error
    except BotoCoreError as error:
        raise AwsError(f"{doing} failed: {_first_line(error)}", hint=_hint(error)) from error


def _of_service(error: ClientError, doing: str) -> AwsError:
    code = code_of(error)
    where = error.operation_name
    if code in _EXPIRED:
        return AwsError(
            f"{doing} failed: the credentials have expired",
            where=where,
            hint="Renew them (aws sso login, or a new session), then run the same command again.",
        )
    if code in _UNKNOWN_KEY:
        return AwsError(
            f"{doing} failed: AWS does not know these credentials ({code})",
            where=where,
            hint="Check the profile or the AWS_* variables; `aws sts get-caller-identity` helps.",
        )
    if is_denied(error):
        action = denied_action(error) or f"the permission for {error.operation_name}"
        return AccessDenied(
            f"{doing} failed: access denied", where=where, hint=f"Grant the caller {action}."
        )
    message = error.response.get("Error", {}).get("Message", "")
    return AwsError(f"{doing} failed: {code}: {message}", where=where)


def _hint(error: BotoCoreError) -> str:
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return "Name a profile with --aws-profile, or set up the AWS credential chain."
    if isinstance(error, ProfileNotFound):
        return "Choose one that `aws configure list-profiles` shows."
    if isinstance(error, (SSOTokenLoadError, UnauthorizedSSOTokenError, TokenRetrievalError)):
        return "Sign in again with `aws sso login`."
    if isinstance(error, NoRegionError):
        return "Name a region with --region."
    if isinstance(error, SSLError):
        return "Check AWS_CA_BUNDLE and the machine's clock."
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)):
        return "Check the network, the proxy settings and AWS_ENDPOINT_URL."
    return ""


def _first_line(error: BotoCoreError) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
