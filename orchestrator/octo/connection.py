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
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from orchestrator.errors import OctoError, OctoUnreachable
from orchestrator.octo.limit import Limit

CALLS_A_SECOND = 90  # Octo allows a user 100; clocks and networks are not exact
_GATEWAY_TIMEOUT = 504
_RETRIED = (429, 500, 502, 503, _GATEWAY_TIMEOUT)
_ATTEMPTS = 4
_WRONG_ADDRESS = (
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)
_TIMEOUT = (5.0, 60.0)  # seconds to connect, and for an answer
_TIMEOUT_ONCE = (5.0, 300.0)  # for all but GET, not sent twice: Octo may call AWS for every account


class _LimitedRetry(Retry):
    """urllib3's retries, each of which counts against the limit too.

    What is not answered in time is not sent twice: Octo may still be at work on it.
    """

    def __init__(self, *arguments: Any, limit: Limit, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._limit = limit

    def new(self, **settings: Any) -> _LimitedRetry:
        return super().new(limit=self._limit, **settings)

    def sleep(self, response: Any = None) -> None:
        super().sleep(response)
        self._limit.wait()

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        if status_code == _GATEWAY_TIMEOUT and method != "GET":
            return False
        return super().is_retry(method, status_code, has_retry_after)

    def increment(self, method: str | None = None, *arguments: Any, **settings: Any) -> Any:
        error = settings.get("error")
        if isinstance(error, ReadTimeoutError) and method != "GET":
            raise error
        return super().increment(method, *arguments, **settings)


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
    minute) and a 5xx: all of Octo's calls are idempotent. After a read timeout or a 504, only a GET
    is: Octo may still be working on the others.
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
                timeout=_TIMEOUT if method == "GET" else _TIMEOUT_ONCE,
                stream=True,
                allow_redirects=False,  # it may lead elsewhere; the request holds a secret
            )
        except _WRONG_ADDRESS as error:
            raise OctoError(
                f"the address of Octo is wrong ({type(error).__name__})",
                where=url,
                hint="Correct ALPHAUS_AUTH_URL, --octo-endpoint or the proxy's variable.",
            ) from None
        except requests.RequestException as error:
            raise _unreachable(error, url) from None
        except OSError as error:  # the CA bundle, which is read when it is needed
            raise OctoError(
                f"the file of trusted CAs cannot be used: {error.strerror or error}",
                where=_bundle_variable() or url,
                hint="Correct the variable, or unset it.",
            ) from None
        return Answer(response.status_code, _lines(response, url))

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = "octo-tf"
            if variable := _bundle_variable():
                session.verify = os.environ[variable]
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


def _bundle_variable() -> str | None:
    """Find the variable that names the CA bundle: requests' own, else boto3's or Terraform's."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE")
    return next((name for name in names if os.environ.get(name)), None)


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
    hint = "Check the network and the proxy settings; octo-tf has recorded what remains to be done."
    if isinstance(error, requests.exceptions.ReadTimeout):
        hint = "Octo may still be working on it: wait a few minutes before the next command."
    if isinstance(error, requests.exceptions.SSLError):
        variable = _bundle_variable() or "REQUESTS_CA_BUNDLE"
        hint = f"Check {variable}, which names the file of trusted CAs, and the machine's clock."
    host = url.split("?", maxsplit=1)[0]
    return OctoUnreachable(f"Octo does not answer ({type(error).__name__})", where=host, hint=hint)
