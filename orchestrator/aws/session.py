"""Sessions and clients: made once, shared by every thread that asks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import botocore.config
import botocore.session
from botocore.credentials import Credentials

# Adaptive mode slows down on throttling instead of hammering
# (https://docs.aws.amazon.com/boto3/latest/guide/retries.html).
_CLIENT_CONFIG = botocore.config.Config(
    retries={"mode": "adaptive", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=32,
    user_agent_extra="octo-tf",
)

_NOBODY = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nobody"}


@dataclass(frozen=True)
class AssumeRole:
    """A role to assume on top of the base credentials (STS AssumeRole)."""

    role_arn: str
    session_name: str = "octo-tf"
    external_id: str | None = None
    duration_seconds: int = 3600


class Aws:
    """The clients of one identity. Clients are thread-safe; making them is not, hence the lock."""

    def __init__(
        self,
        session: boto3.Session,
        *,
        keys: Mapping[str, str] | None = None,
        lock: threading.Lock | None = None,
    ) -> None:
        self._session: Any = session  # its own types want a literal service name
        self._keys = keys or {}  # of an assumed role, in place of the session's own
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = lock or threading.Lock()

    @property
    def region(self) -> str:
        """The session's region."""
        return str(self._session.region_name)

    def client(self, service: str, region: str | None = None) -> Any:
        """The boto3 client of ``service`` in ``region`` (default: the session's)."""
        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service, region_name=key[1], config=_CLIENT_CONFIG, **self._keys
                )
            return self._clients[key]

    def assume(self, role: AssumeRole) -> Aws:
        """The identity of ``role``, assumed at once; it shares the session's loaded models.

        Raises:
            botocore.exceptions.ClientError: STS refused (AccessDenied, ...).
        """
        return Aws(self._session, keys=self._keys_of(role), lock=self._lock)

    def visitor(self, service: str) -> Visitor:
        """For calls of one service as many roles, one after the other in each thread."""
        with self._lock:
            client = self._session.client(
                service, region_name=self.region, config=_CLIENT_CONFIG, **_NOBODY
            )
        return Visitor(client, self._keys_of)

    def _keys_of(self, role: AssumeRole) -> dict[str, str]:
        arguments: dict[str, Any] = {
            "RoleArn": role.role_arn,
            "RoleSessionName": role.session_name,
            "DurationSeconds": role.duration_seconds,
        }
        if role.external_id is not None:
            arguments["ExternalId"] = role.external_id
        credentials = self.client("sts").assume_role(**arguments)["Credentials"]
        return {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }


class Visitor:
    """One client for many identities: to make one for each takes longer than its calls."""

    def __init__(self, client: Any, keys_of: Callable[[AssumeRole], dict[str, str]]) -> None:
        self._client = client
        self._keys_of = keys_of
        self._thread = threading.local()
        client.meta.events.register("before-sign.*.*", self._sign_as)

    def become(self, role: AssumeRole) -> Any:
        """The client, whose calls in this thread are ``role``'s until the next time.

        Raises:
            botocore.exceptions.ClientError: STS refused (AccessDenied, ...).
        """
        keys = self._keys_of(role)
        self._thread.credentials = Credentials(
            keys["aws_access_key_id"], keys["aws_secret_access_key"], keys["aws_session_token"]
        )
        return self._client

    def _sign_as(self, request: Any, **_: Any) -> None:
        # botocore.signers.RequestSigner.sign takes a request's own credentials from here.
        signing = request.context.setdefault("signing", {})
        signing["request_credentials"] = self._thread.credentials


def connect(
    *, region: str, profile: str | None = None, assume_role: AssumeRole | None = None
) -> Aws:
    """Connects by the named profile or the ambient chain, then by the role if one is named.

    Raises:
        botocore.exceptions.BotoCoreError: no such profile, no credentials.
        botocore.exceptions.ClientError: the role may not be assumed.
    """
    base = Aws(boto3.Session(profile_name=profile, region_name=region))
    return base.assume(assume_role) if assume_role else base
