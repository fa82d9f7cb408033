"""The errors of AWS calls: what other layers may catch, and how they are explained to users.

A call raises one of ``CALL_ERRORS``: ``ServiceError`` where AWS answers with an error code, or
another error of botocore where no answer comes. ``explained`` turns all of them into ``AwsError``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    RefreshWithMFAUnsupportedError,
)
from botocore.exceptions import (
    ConnectionError as NoConnection,
)

from orchestrator.aws import sdk_errors
from orchestrator.aws.call_subject import Subject, subject_of
from orchestrator.aws.sdk_errors import sign_in
from orchestrator.errors import AccessDenied, AwsError, OctoTfError

ServiceError = ClientError
CALL_ERRORS = (ClientError, BotoCoreError)
_Arguments = ParamSpec("_Arguments")
_Value = TypeVar("_Value")

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
_NOT_FOUND = {
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NotFoundException",
    "StackSetNotFoundException",
}
# Codes of transient errors: the same call may be retried.
_PASSING = {
    *("Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException"),
    *("RequestLimitExceeded", "RequestThrottled", "SlowDown", "RequestTimeout"),
    "PriorRequestNotComplete",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNKNOWN_KEY = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "AuthFailure",
}
# AWS's errors about a signature whose time differs too much from AWS's clock.
_OTHER_TIME = re.compile(r"Signature (expired|not yet current)|time and the current time is too")
_MFA_FAILED = "MultiFactorAuthentication failed"  # a wrong code, or another user's device
_ACTION = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
# How AWS names the policy, or kind of policy, that decided.
# Source: IAM User Guide, "Troubleshoot access denied error messages".
_FORBIDDEN = re.compile(
    r"with an explicit deny in (an? (?:[\w -]+? policy|permissions boundary))(?:: (arn:\S+[\w/]))?"
)
_NOT_LET = re.compile(
    r"because no ((?:service control|resource control|session|VPC endpoint) policy"
    r"|permissions boundary) allows"
)
_USER = re.compile(r"User: (arn:\S+) is not authorized")


def code_of(error: ServiceError) -> str:
    """Return the error's code, e.g. ``NoSuchEntity``; a HEAD request has its HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(error: ServiceError) -> bool:
    """Tell whether the caller lacks the permission for the call."""
    return code_of(error) in _DENIED


def is_not_found(error: ServiceError) -> bool:
    """Tell whether the role, bucket, object, key or StackSet of the call does not exist."""
    return code_of(error) in _NOT_FOUND


def none_if_missing(
    read: Callable[_Arguments, _Value],
) -> Callable[_Arguments, _Value | None]:
    """Decorate a reader to return None if the resource does not exist; see ``is_not_found``."""

    @functools.wraps(read)
    def reader(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Value | None:
        try:
            return read(*args, **kwargs)
        except ClientError as error:
            if is_not_found(error):
                return None
            raise

    return reader


def cannot_be_asked(error: Exception) -> bool:
    """Tell whether a region answers none of the caller's calls.

    A region that is disabled for the account does not know its keys or needs an opt-in, a service
    control policy denies it, or a network does not lead there.
    """
    if not isinstance(error, ClientError):
        return isinstance(error, (NoConnection, HTTPClientError))
    return is_denied(error) or code_of(error) in _UNKNOWN_KEY | {"OptInRequired"}


def is_transient(error: Exception) -> bool:
    """Tell whether an error is transient: the same call may succeed later.

    True of throttling, errors of AWS itself, expired credentials, and where no answer came: a
    network, or a source of credentials, that does not work now. Not of a session that ended and
    needs a new MFA code.
    """
    if not isinstance(error, ClientError):
        return not isinstance(error, RefreshWithMFAUnsupportedError)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or code_of(error) in _PASSING | _EXPIRED


def denied_action(error: ServiceError) -> str | None:
    """Return the IAM action that was denied, if the message names it."""
    match = _ACTION.search(str(error))
    return match[1] if match else None


def as_aws_error(error: Exception, doing: str = "a call of AWS") -> AwsError | None:
    """Return the AwsError that stands for an error of boto3 or AWS; None for any other error.

    Args:
        error: from a block that calls AWS. What sources of credentials raise counts as well.
        doing: like ``reading the organization``; messages begin with it.
    """
    if isinstance(error, OctoTfError):
        return None  # it says already what happened, though it passed through botocore
    if isinstance(error, ClientError):
        return _of_service(error, doing)
    explanation = sdk_errors.explain(error)
    if explanation is None:
        return None
    what, where, hint = explanation
    return AwsError(f"{doing} failed: {what}", where=where, hint=hint)


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn errors of AWS calls in the block into an AwsError that says what was being done.

    Args:
        doing: like ``reading the organization``; messages begin with it.

    Raises:
        AccessDenied: the caller lacks a permission, which the hint names.
        AwsError: any other error of ``CALL_ERRORS``, and errors of the sources of credentials.
    """
    try:
        yield
    except Exception as error:
        explanation = as_aws_error(error, doing)
        if explanation is None:
            raise
        raise explanation from error


def _of_service(error: ClientError, doing: str) -> AwsError:
    code, subject = code_of(error), subject_of(error)
    where, message = str(subject), error.response.get("Error", {}).get("Message", "")
    if _OTHER_TIME.search(message):
        return AwsError(
            f"{doing} failed: this machine's clock differs from AWS's: {message}",
            where=where,
            hint="Set the clock, best by NTP, then run the same command again.",
        )
    if code in _EXPIRED:
        return AwsError(
            f"{doing} failed: the credentials have expired",
            where=where,
            hint=f"Renew them (`{sign_in(subject.caller)}`, or a new session), then run the same"
            " command again.",
        )
    if code in _UNKNOWN_KEY:
        return AwsError(
            f"{doing} failed: AWS does not know these credentials ({code})",
            where=where,
            hint="Check the profile or the AWS_* variables, and that region is of their partition;"
            f" `{subject.caller.line('sts', 'get-caller-identity')}` shows whether they work.",
        )
    if is_denied(error) and _MFA_FAILED in message:
        return AwsError(
            f"{doing} failed: {message.rstrip('. ')}",
            where=where,
            hint="Check mfa_serial of the profile, then run the same command again with the next"
            " code that the device shows: AWS takes each code once.",
        )
    if is_denied(error):
        return AccessDenied(
            f"{doing} failed: access denied",
            where=where,
            hint=_way_in(message, _caller(error, subject), denied_action(error) or subject.action),
        )
    if is_transient(error):
        return AwsError(
            f"{doing} failed: {code}: {message}",
            where=where,
            hint="AWS is busy or has a fault of its own: run the same command again later.",
        )
    return AwsError(
        f"{doing} failed: {code}: {message}",
        where=where,
        hint=f"Correct what AWS names, then run the same command again ({subject.action}).",
    )


def _way_in(message: str, caller: str, action: str) -> str:
    """Say what has to change: a grant does not help where another kind of policy decided."""
    if match := _FORBIDDEN.search(message):
        return (
            f"{match[1][0].upper()}{match[1][1:]} denies it, and no grant overrides that: have"
            f" {match[2] or 'that policy'} changed so that it does not deny {caller} {action}, or"
            " use another caller."
        )
    if match := _NOT_LET.search(message):
        return f"No {match[1]} lets {caller} use {action}: have one changed to allow it."
    return f"Grant {caller} {action}."


def _caller(error: ClientError, subject: Subject) -> str:
    """Name who was denied: as the message says it, else the identity that signed the call."""
    match = _USER.search(str(error))
    return match[1] if match else subject.caller.arn or "the caller"
