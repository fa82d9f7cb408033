"""Access tokens: requested with the client's secret, cached for the next run, renewed in time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from orchestrator.errors import OctoError, OctoUnreachable
from orchestrator.files import read_note, write_atomically
from orchestrator.octo.connection import Connection
from orchestrator.octo.credentials import Credentials
from orchestrator.redaction import keep_out

_EARLY_SECONDS = 60.0  # renewed this long before it expires: a call under way still succeeds
_MAX_BYTES = 100_000
_DEFAULT_SECONDS = 300.0  # the lifetime of a token whose answer has no expires_in


def cache_folder() -> Path:
    """Give the folder of cached tokens (XDG base directories)."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "octo-tf" / "tokens"
    except RuntimeError:  # the user has no home: a folder that takes no file
        return Path(os.devnull) / "tokens"


class Tokens:
    """The token of one client; threads share it.

    It is cached in a file (mode 0600) whose name is a hash of client, secret and auth URL, so that
    another secret has another token.
    """

    def __init__(
        self,
        credentials: Credentials,
        connection: Connection,
        *,
        folder: Path | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials
        self._connection = connection
        self._now = now
        self._lock = threading.Lock()
        named = "\n".join((credentials.client_id, credentials.auth_url, credentials.client_secret))
        name = hashlib.sha256(named.encode()).hexdigest()
        self._file = (folder or cache_folder()) / f"{name}.json"
        self._token, self._end = self._cached()

    def get(self, *, instead_of: str = "") -> str:
        """Give a token that is valid for at least a minute.

        Args:
            instead_of: a token that Octo no longer accepts.

        Raises:
            OctoError: Octo does not know the client.
            OctoUnreachable: the token endpoint does not answer.
        """
        with self._lock:
            old = not self._token or self._token == instead_of
            if old or self._now() > self._end - _EARLY_SECONDS:
                self._token, self._end = self._request()
                document = json.dumps({"access_token": self._token, "expires_at": self._end})
                with contextlib.suppress(OSError):  # without a cache the next run requests one
                    write_atomically(self._file, document.encode())
            keep_out(self._token)
            return self._token

    def _cached(self) -> tuple[str, float]:
        noted = read_note(self._file, limit=_MAX_BYTES)
        token, end = noted.get("access_token"), noted.get("expires_at")
        if isinstance(token, str) and isinstance(end, (int, float)):
            return token, end
        return "", 0.0

    def _request(self) -> tuple[str, float]:
        asked = self._now()
        url = self._credentials.auth_url
        answer = self._connection.send(
            "POST",
            url,
            form={
                "client_id": self._credentials.client_id,
                "client_secret": self._credentials.client_secret,
                "grant_type": "client_credentials",
                "scope": "openid",
            },
        )
        text = answer.text()
        if answer.status == 429 or answer.status >= 500:
            raise OctoUnreachable(
                f"Octo's token endpoint answers with HTTP {answer.status}",
                where=url,
                hint="Try again later; octo-tf has recorded what remains to be done.",
            )
        if answer.status != 200:
            raise OctoError(
                f"Octo does not know the client {self._credentials.client_id}"
                f" (HTTP {answer.status}; credentials from {self._credentials.source})",
                where=url,
                hint="Check ALPHAUS_CLIENT_ID and ALPHAUS_CLIENT_SECRET, or the profile; --no-octo"
                " works without Octo's API.",
            )
        try:
            document = json.loads(text)
            token = document["access_token"]
            seconds = float(document.get("expires_in") or _DEFAULT_SECONDS)
        except (ValueError, KeyError, TypeError, AttributeError):
            token, seconds = None, 0.0
        if not isinstance(token, str) or not token:
            raise OctoError(
                "Octo's token endpoint answers without a token",
                where=url,
                hint="Check ALPHAUS_AUTH_URL: it is the token endpoint's complete address.",
            )
        return token, asked + seconds
