"""Octo's errors ``{code, message, details}`` as ours, with a remedy for each documented cause.

Codes are gRPC's (google.rpc.Code), which a gateway also gives as an HTTP status.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from orchestrator.errors import OctoError, OctoRefused, OctoUnreachable

NOT_FOUND, ALREADY_EXISTS, DENIED, BUSY, UNAUTHENTICATED = 5, 6, 7, 8, 16
_RETRYABLE = {1, 2, 4, 8, 10, 13, 14}  # cancelled, unknown, deadline, busy, aborted, ...
_OF_HTTP = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 429: 8}

_NOT_ASSUMED = (
    "Octo could not assume the role: run octo-tf verify to see why. A new role may take a minute"
    " to work: then run octo-tf confirm."
)
# The documented causes, by words of the message.
_HINTS = (
    (
        ("payer", "before"),
        "Register the payer (the organization's management account) with Octo first, then run the"
        " same command again.",
    ),
    (
        ("another organization",),
        "Another organization has this account in Octo: check account_id and the credentials'"
        " organization, or ask Octo's support to move it.",
    ),
    (
        ("organizational unit",),
        "Check the ids of the organizational units (stackset_targets, ou-... or r-...).",
    ),
    (("assumerole",), _NOT_ASSUMED),
    (("cannot assume",), _NOT_ASSUMED),
    (
        ("not registered",),
        "Run octo-tf confirm --register, or octo-tf apply: it registers the account with Octo.",
    ),
)
_OF_CODE = {
    3: "Check account_id and the version of octo-tf.",
    DENIED: "Check that the client may register accounts, and whose account this is.",
    UNAUTHENTICATED: "Check ALPHAUS_CLIENT_ID and ALPHAUS_CLIENT_SECRET; the token was renewed.",
}


def explain(
    status: int, text: str, *, doing: str, where: str, secrets: Iterable[str] = ()
) -> OctoError:
    """Turn an answer that is not success into an error.

    Args:
        text: the body.
        doing: what was requested, in words.
        where: the account, or the address.
        secrets: values that must not be shown, even where Octo's message contains them.
    """
    code, message = _read(status, text)
    for secret in secrets:
        message = message.replace(secret, "(hidden)") if secret else message
    what = f"{doing}: Octo says: {message}"
    if code in _RETRYABLE or status >= 500:
        return OctoUnreachable(
            what, where=where, hint="Try again later; octo-tf has recorded what remains to be done."
        )
    if code == UNAUTHENTICATED:
        return OctoError(what, where=where, hint=_OF_CODE[UNAUTHENTICATED])
    return OctoRefused(what, where=where, hint=hint_for(message, code), code=code)


def hint_for(message: str, code: int = 0) -> str:
    """Give the remedy for a message of Octo's."""
    lower = message.lower()
    for words, hint in _HINTS:
        if all(word in lower for word in words):
            return hint
    return _OF_CODE.get(
        code, "See what Octo shows for the account; octo-tf verify shows what AWS has."
    )


def _read(status: int, text: str) -> tuple[int, str]:
    code = _OF_HTTP.get(status, 13 if status >= 500 else 2)
    try:
        document = json.loads(text)
        given = document.get("code")
        message = str(document.get("message") or f"HTTP {status}")
        return (given if isinstance(given, int) and given else code), _one_line(message)
    except (ValueError, AttributeError):
        return code, f"HTTP {status}"


def _one_line(message: str) -> str:
    return " ".join(message.split())[:500]
