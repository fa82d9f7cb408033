"""HTTP to Octo: proxies and CAs of the environment, retries with jitter, the published rate limit.

requests with urllib3's ``Retry``: both are installed already (botocore uses urllib3) and well
maintained; httpx would need retries of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from orchestrator.errors import OctoUnreachable
from orchestrator.octo.limit import Limit

CALLS_A_SECOND = 90  # Octo allows a user 100; clocks and networks are not exact
_RETRIED = (429, 500, 502, 503, 504)
_ATTEMPTS = 4
_TIMEOUT = (5.0, 60.0)  # seconds to connect, and for an answer: Octo calls AWS meanwhile


class _LimitedRetry(Retry):
    """urllib3's retries, each of which counts against the limit too."""

    def __init__(self, *arguments: Any, limit: Limit, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._limit = limit

    def new(self, **settings: Any) -> _LimitedRetry:
        return super().new(limit=self._limit, **settings)

    def sleep(self, response: Any = None) -> None:
        super().sleep(response)
        self._limit.wait()


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; ``lines`` are read as they arrive."""

    status: int
    lines: Iterator[str]

    def text(self) -> str:
        """Read the whole body.

        Raises:
            OctoUnreachable: the connection broke.
        """
        return "\n".join(self.lines)


class Connection:
    """HTTP for one run, with a session for each thread, as requests demands.

    Every call is retried after a lost connection, a 429 (after ``Retry-After``, up to half a
    minute) and a 5xx: all of Octo's calls are idempotent.
    """

    def __init__(self, *, limit: Limit | None = None, pause: float = 0.5) -> None:
        self._limit = limit or Limit(CALLS_A_SECOND)
        self._pause = pause
        self._of_thread = threading.local()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make one call.

        Raises:
            OctoUnreachable: there is no answer, after retries.
        """
        self._limit.wait()
        try:
            response = self._session().request(
                method,
                url,
                headers=dict(headers or {}),
                json=json,
                data=form,
                timeout=_TIMEOUT,
                stream=True,
                allow_redirects=False,  # it may lead elsewhere; the request holds a secret
            )
        except requests.RequestException as error:
            raise _unreachable(error, url) from None
        return Answer(response.status_code, _lines(response, url))

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = "octo-tf"
            if bundle := _bundle():
                session.verify = bundle
            retry = _LimitedRetry(
                _ATTEMPTS,
                status_forcelist=_RETRIED,
                allowed_methods=None,
                backoff_factor=self._pause,
                backoff_jitter=self._pause,
                backoff_max=10,
                retry_after_max=30,
                raise_on_status=False,
                limit=self._limit,
            )
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(max_retries=retry))
            self._of_thread.session = session
        return session


def _bundle() -> str | None:
    """Find the CA bundle: requests' own setting, else the one of boto3 or Terraform."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE")
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _lines(response: requests.Response, url: str) -> Iterator[str]:
    try:
        for line in response.iter_lines():
            if line:
                yield line.decode("utf-8", errors="replace")
    except requests.RequestException as error:
        raise _unreachable(error, url) from None
    finally:
        response.close()


def _unreachable(error: requests.RequestException, url: str) -> OctoUnreachable:
    hint = "Check the network and the proxy settings; what is left to do is noted."
    if isinstance(error, requests.exceptions.SSLError):
        hint = "Check REQUESTS_CA_BUNDLE (or AWS_CA_BUNDLE) and the machine's clock."
    host = url.split("?", maxsplit=1)[0]
    return OctoUnreachable(f"Octo does not answer ({type(error).__name__})", where=host, hint=hint)
