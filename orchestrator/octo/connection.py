"""HTTP to Octo: proxies and CAs of the environment, retries with jitter, the published rate limit.

requests with urllib3's ``Retry``: both are there already (botocore stands on urllib3), and both are
kept; httpx would need retries of its own.
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

CALLS_A_SECOND = 90  # Octo lets a user make 100; clocks and networks are not exact
_AGAIN = (429, 500, 502, 503, 504)
_ATTEMPTS = 4
_TIMEOUT = (5.0, 60.0)  # to connect; for an answer: Octo looks into AWS meanwhile


class _Patience(Retry):
    """urllib3's retries, each of which waits for its turn too."""

    def __init__(self, *arguments: Any, limit: Limit, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._limit = limit

    def new(self, **settings: Any) -> _Patience:
        return super().new(limit=self._limit, **settings)

    def sleep(self, response: Any = None) -> None:
        super().sleep(response)
        self._limit.wait()


@dataclass(frozen=True)
class Answer:
    """What came back; ``lines`` are read as they come."""

    status: int
    lines: Iterator[str]

    def text(self) -> str:
        """The whole body.

        Raises:
            OctoUnreachable: the connection broke.
        """
        return "\n".join(self.lines)


class Connection:
    """One for a run; its sessions are per thread, which requests asks for.

    Every call is tried again after a lost connection, a 429 (as long as ``Retry-After`` says, up to
    half a minute) and a 5xx: a call of Octo's repeated is the same call.
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
        """Makes one call.

        Raises:
            OctoUnreachable: nobody answers, after retries.
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
                allow_redirects=False,  # a login page is no answer, and no place for a secret
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
            retry = _Patience(
                _ATTEMPTS,
                status_forcelist=_AGAIN,
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
    """The CAs that boto3 and Terraform are told of, where requests is told of none."""
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
    hint = "Check the network and the proxy settings; what is left to do is kept."
    if isinstance(error, requests.exceptions.SSLError):
        hint = "Check REQUESTS_CA_BUNDLE (or AWS_CA_BUNDLE) and the machine's clock."
    host = url.split("?", maxsplit=1)[0]
    return OctoUnreachable(f"Octo does not answer ({type(error).__name__})", where=host, hint=hint)
