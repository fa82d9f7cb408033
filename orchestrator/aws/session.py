"""Sessions and typed clients, created once and shared between threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
import botocore.config
import botocore.session
from botocore.credentials import Credentials

from orchestrator.aws.call_subject import Caller, note_subjects
from orchestrator.aws.facts import Facts
from orchestrator.redaction import keep_out

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cur import CostandUsageReportServiceClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef

# Adaptive mode slows down on throttling instead of hammering
# (https://docs.aws.amazon.com/boto3/latest/guide/retries.html).
_CLIENT_CONFIG = botocore.config.Config(
    retries={"mode": "adaptive", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=32,
    user_agent_extra="octo-tf",
)

# Keys of a client whose every request is signed with other ones.
_PLACEHOLDER = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nobody"}


@dataclass(frozen=True)
class AssumeRole:
    """A role to assume with the base credentials (STS AssumeRole); the duration is in seconds."""

    role_arn: str
    session_name: str = "octo-tf"
    external_id: str | None = None
    duration_seconds: int = 3600


class Aws:
    """The clients of one identity. Clients are thread-safe; a lock guards their creation.

    ``facts``: what this observation has read; None if every read asks AWS.
    """

    facts: Facts | None = None

    def __init__(
        self,
        session: boto3.Session,
        *,
        keys: Mapping[str, str] | None = None,
        lock: threading.Lock | None = None,
        caller: str = "",
    ) -> None:
        self._session: Any = session  # its own overloads list every service
        self._caller = Caller(caller)
        self._keys = keys or {}  # of an assumed role, in place of the session's own
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = lock or threading.Lock()

    @property
    def region(self) -> str:
        """Return the session's region."""
        return str(self._session.region_name)

    def observe(self, facts: Facts | None = None) -> Aws:
        """Begin an observation: the same clients, and each fact is read from AWS at most once."""
        observation = copy.copy(self)
        observation.facts = facts or Facts()
        return observation

    @overload
    def client(self, service: Literal["iam"], region: str | None = None) -> IAMClient: ...
    @overload
    def client(self, service: Literal["s3"], region: str | None = None) -> S3Client: ...
    @overload
    def client(
        self, service: Literal["cur"], region: str | None = None
    ) -> CostandUsageReportServiceClient: ...
    @overload
    def client(
        self, service: Literal["cloudformation"], region: str | None = None
    ) -> CloudFormationClient: ...
    @overload
    def client(
        self, service: Literal["organizations"], region: str | None = None
    ) -> OrganizationsClient: ...
    @overload
    def client(self, service: Literal["sts"], region: str | None = None) -> STSClient: ...
    def client(self, service: str, region: str | None = None) -> Any:
        """Return the boto3 client of ``service`` in ``region`` (default: the session's)."""
        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._session.client(
                    service, region_name=key[1], config=_CLIENT_CONFIG, **self._keys
                )
                note_subjects(self._clients[key], self._caller)
            return self._clients[key]

    def assume(self, role: AssumeRole) -> Aws:
        """Assume ``role`` and return the calls of that identity, which share the loaded models.

        Raises:
            ServiceError: STS refused (AccessDenied, ...).
        """
        keys = self._keys_of(role)
        return Aws(self._session, keys=keys, lock=self._lock, caller=role.role_arn)

    def in_accounts(self) -> IamInAccounts:
        """Create an IAM client for calls in many accounts, each as a role of that account."""
        with self._lock:
            client = self._session.client(
                "iam", region_name=self.region, config=_CLIENT_CONFIG, **_PLACEHOLDER
            )
            note_subjects(client, Caller())
        return IamInAccounts(client, self._keys_of)

    def _keys_of(self, role: AssumeRole) -> dict[str, str]:
        arguments: AssumeRoleRequestTypeDef = {
            "RoleArn": role.role_arn,
            "RoleSessionName": role.session_name,
            "DurationSeconds": role.duration_seconds,
        }
        if role.external_id is not None:
            arguments["ExternalId"] = role.external_id
        credentials = self.client("sts").assume_role(**arguments)["Credentials"]
        keep_out(credentials["SecretAccessKey"], credentials["SessionToken"])
        return {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }


class IamInAccounts:
    """An IAM client that signs as many roles: one client for each would take longer to create."""

    def __init__(self, client: IAMClient, keys_of: Callable[[AssumeRole], dict[str, str]]) -> None:
        self._client = client
        self._keys_of = keys_of
        self._thread = threading.local()
        client.meta.events.register("before-sign.*.*", self._sign)

    def as_role(self, role: AssumeRole) -> IAMClient:
        """Assume ``role`` for this thread's calls, until the thread assumes another one.

        Raises:
            ServiceError: STS refused (AccessDenied, ...).
        """
        keys = self._keys_of(role)
        self._thread.credentials = Credentials(
            keys["aws_access_key_id"], keys["aws_secret_access_key"], keys["aws_session_token"]
        )
        return self._client

    def _sign(self, request: Any, **_: Any) -> None:
        # botocore.signers.RequestSigner.sign takes a request's own credentials from here.
        signing = request.context.setdefault("signing", {})
        signing["request_credentials"] = self._thread.credentials


def connect(
    *, region: str, profile: str | None = None, assume_role: AssumeRole | None = None
) -> Aws:
    """Connect by the named profile or the default credential chain, then by a role if given.

    Raises:
        botocore.exceptions.BotoCoreError: no such profile, no credentials.
        ServiceError: the role may not be assumed.
    """
    base = Aws(boto3.Session(profile_name=profile, region_name=region))
    return base.assume(assume_role) if assume_role else base


def available_profiles() -> tuple[str, ...]:
    """List the profiles of the AWS configuration and credentials files."""
    return tuple(boto3.Session().available_profiles)
