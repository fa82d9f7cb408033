"""The errors of boto3 before AWS answers: credentials, configuration files, TLS and the network.

botocore passes on whatever the sources of credentials raise: a missing ``credential_process`` is a
FileNotFoundError, its garbage a JSONDecodeError, an expired answer a RuntimeError. They are
recognized by the frames of their traceback.
"""

from __future__ import annotations

import os
import traceback
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ConfigParseError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    MissingDependencyException,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    RefreshWithMFAUnsupportedError,
    SSLError,
    SSOError,
    SSOTokenLoadError,
    TokenRetrievalError,
)

from orchestrator.aws.call_subject import Caller, caller_of
from orchestrator.model.aws_cli import aws_line

_LONGEST = 300  # characters of a text that another program wrote
_CHECK_PROFILE = (
    "Check the profile in the AWS configuration file, and the AWS_* variables;"
    " `{who}` shows whether they work."
)
_SIGN_IN = "Sign in again with `{login}`."
# Hints by the classes of errors whose own text says what happened.
_HINTS = {
    (SSOError, SSOTokenLoadError, TokenRetrievalError): _SIGN_IN,
    (RefreshWithMFAUnsupportedError,): "Run the same command again: it asks for a new MFA code.",
    (NoRegionError,): "Name a region with --region.",
    (MissingDependencyException,): "Install what the profile needs, or use another profile.",
}


class Explained(NamedTuple):
    """What an error of boto3 means.

    Attributes:
        what: the reason, without what was being done.
        where: a file, a profile or a variable; empty for the caller's credentials.
        hint: what to do next; ``{login}`` and ``{who}`` are commands of the AWS CLI.
    """

    what: str
    where: str = ""
    hint: str = _CHECK_PROFILE


class _Source(NamedTuple):
    """A source of credentials: its name, the setting that names it, and how to fix it."""

    name: str
    setting: str
    hint: str


_PROCESS = _Source(
    "the program that gives credentials",
    "credential_process",
    "Correct credential_process in the AWS configuration file, or sign in again with that program;"
    ' run by hand, it must print JSON with "Version": 1 and keys that are valid.',
)
_WEB_IDENTITY = _Source(
    "the web identity token",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "Have the pipeline write its token to AWS_WEB_IDENTITY_TOKEN_FILE"
    " (web_identity_token_file of a profile), and check AWS_ROLE_ARN.",
)
_CONTAINER = _Source(
    "the container's credentials",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "Check the AWS_CONTAINER_* variables, or unset them and name a profile with --aws-profile.",
)
_SSO = _Source("the sign-in session", "sso_session", _SIGN_IN)
_BY_CLASS = {
    "ProcessProvider": _PROCESS,
    "AssumeRoleWithWebIdentityCredentialFetcher": _WEB_IDENTITY,
    "AssumeRoleWithWebIdentityProvider": _WEB_IDENTITY,
    "FileWebIdentityTokenLoader": _WEB_IDENTITY,
    "ContainerProvider": _CONTAINER,
    "SSOCredentialFetcher": _SSO,
    "SSOTokenProvider": _SSO,
    "SSOProvider": _SSO,
}
_BY_PROVIDER = {
    "custom-process": _PROCESS,
    "assume-role-with-web-identity": _WEB_IDENTITY,
    "container-role": _CONTAINER,
    "sso": _SSO,
}


def explain(error: Exception) -> Explained | None:
    """Say what an error that boto3 raised or passed on means; None if boto3 had no part in it.

    ``ServiceError``, the answer of AWS, is not an error of boto3.
    """
    found = _of_botocore(error) if isinstance(error, BotoCoreError) else _of_source(error)
    if found is None:
        return None
    what, where, hint = found
    caller = caller_of(error)
    place = f"AWS profile {caller.profile}" if caller.profile else "AWS credentials"
    commands = {
        "who": caller.line("sts", "get-caller-identity"),
        "login": sign_in(replace(caller, profile=_provided_profile(error) or caller.profile)),
    }
    return Explained(what, where or place, hint.format_map(commands))


def sign_in(caller: Caller) -> str:
    """Write the command that renews the credentials of a profile of IAM Identity Center."""
    return aws_line("sso", "login", profile=caller.profile)


def _provided_profile(error: Exception) -> str | None:
    """Return the profile whose provider failed, such as a role's ``source_profile``."""
    owners = [f.f_locals.get("self") for f, _ in traceback.walk_tb(error.__traceback__)]
    return next((o._profile_name for o in reversed(owners) if hasattr(o, "_profile_name")), None)


def _of_source(error: Exception) -> Explained | None:
    """Explain what a source of credentials raised; None if botocore had no part in it."""
    frames = [f for f, _ in traceback.walk_tb(error.__traceback__) if _is_botocore(f)]
    if not frames:
        return None
    for frame in reversed(frames):
        provider = frame.f_locals.get("self")
        if source := _BY_CLASS.get(type(provider).__name__):
            profile = getattr(provider, "_profile_name", None)
            where = f"{source.setting} of profile {profile}" if profile else source.setting
            return Explained(f"{source.name} cannot be used: {_reason(error)}", where, source.hint)
    if "expired" in str(error):
        hint = "Sign in again with the program that gives them, then run the same command again."
        return Explained("the credentials have expired", hint=hint)
    if "endpoint" in str(error).lower():
        return Explained(_reason(error), "AWS_ENDPOINT_URL", "Correct it, or unset it.")
    return Explained(_reason(error))


def _of_botocore(error: BotoCoreError) -> Explained:
    text = shortened(str(error)) or type(error).__name__
    if isinstance(error, CredentialRetrievalError):
        detail = shortened(str(error.kwargs.get("error_msg") or "")) or "it gave no reason"
        source = _BY_PROVIDER.get(str(error.kwargs.get("provider")))
        if source is None:
            return Explained(text)
        return Explained(f"{source.name} cannot be used: {detail}", source.setting, source.hint)
    if isinstance(error, NoCredentialsError):
        hint = "Name a profile with --aws-profile, or set up the AWS credential chain."
        return Explained("there are no AWS credentials", hint=hint)
    if isinstance(error, PartialCredentialsError):
        missing = error.kwargs.get("cred_var")
        return Explained(f"{text.partition(',')[0]}: {missing} is missing")
    if isinstance(error, ConfigParseError):
        where = str(error.kwargs.get("path"))
        return Explained("the file is no AWS configuration", where, "Correct the file.")
    if isinstance(error, ProfileNotFound):
        return _without_profile(text)
    hint = next((fix for kinds, fix in _HINTS.items() if isinstance(error, kinds)), "")
    return Explained(text, hint=hint) if hint else _of_connection(error, text)


def _of_connection(error: BotoCoreError, text: str) -> Explained:
    if isinstance(error, SSLError):
        return Explained(text, *_of_bundle())
    if isinstance(error, HTTPClientError) and "header value" in text:
        # botocore's text quotes the header, which may be the session token.
        return Explained(
            "the access key or the session token holds characters that no key has",
            "AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN",
            "Copy it again, without line breaks.",
        )
    if isinstance(error, ProxyConnectionError) or "is not a valid host or port" in text:
        hint = "Correct the variable, or add AWS's addresses to NO_PROXY."
        return Explained(text, "HTTPS_PROXY or HTTP_PROXY", hint)
    if isinstance(
        error,
        (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError),
    ):
        hint = "Check the network, the proxy settings and AWS_ENDPOINT_URL."
        return Explained(text, "network", hint)
    return Explained(text)


def _of_bundle() -> tuple[str, str]:
    """The place and the fix of a failed TLS handshake: the CA bundle that boto3 uses."""
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        if path := os.environ.get(name):
            if not Path(path).is_file():
                return f"{name}={path}", "There is no such file: correct the variable, or unset it."
            return f"{name}={path}", "Check that the file holds the CA, and the machine's clock."
    return "TLS", "Name the CA of your network in AWS_CA_BUNDLE, and check the machine's clock."


def _without_profile(text: str) -> Explained:
    """A profile that is not found may be in a file that cannot be read, which botocore skips."""
    names = {
        "AWS_CONFIG_FILE": "~/.aws/config",
        "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials",
    }
    for name, default in names.items():
        file = Path(os.environ.get(name) or os.path.expanduser(default))  # noqa: PTH111
        if os.path.lexists(file) and not os.access(file, os.R_OK):
            return Explained(text, str(file), "The file cannot be read: correct its permissions.")
    return Explained(text, hint="Choose one that `aws configure list-profiles` shows.")


def _is_botocore(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in ("botocore", "boto3")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, UnicodeDecodeError):
        return "it is not text"
    if type(error).__name__ == "JSONDecodeError":
        return "it does not print JSON"
    return shortened(str(error)) or type(error).__name__


def shortened(text: Any) -> str:
    """Return the first line of a text that another program wrote, 300 characters at most."""
    lines = str(text).strip().splitlines()
    return lines[0][:_LONGEST] if lines else ""
