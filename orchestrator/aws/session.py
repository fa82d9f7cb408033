"""Sessions and typed clients, created once and shared between threads."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
import botocore.config
import botocore.session
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
)

from orchestrator.aws import mfa
from orchestrator.aws.call_subject import Caller, note_subjects
from orchestrator.aws.facts import Facts
from orchestrator.model.partition import partition_of_region
from orchestrator.redaction import keep_out, stop_keeping_out

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_compute_optimizer import ComputeOptimizerClient
    from mypy_boto3_cost_optimization_hub import CostOptimizationHubClient
    from mypy_boto3_cur import CostandUsageReportServiceClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef, CredentialsTypeDef
    from mypy_boto3_support import SupportClient

# Adaptive mode slows down on throttling instead of hammering
# (https://docs.aws.amazon.com/boto3/latest/guide/retries.html).
_CLIENT_CONFIG = botocore.config.Config(
    retries={"mode": "adaptive", "max_attempts": 6},
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=32,
    user_agent_extra="octo-tf",
)

# These have no FIPS endpoint (botocore's endpoints.json): with AWS_USE_FIPS_ENDPOINT botocore makes
# up a name that does not resolve. The Terraform provider falls back, too.
_WITHOUT_FIPS = {"compute-optimizer", "cost-optimization-hub", "cur", "support"}
_NO_FIPS = botocore.config.Config(use_fips_endpoint=False)

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
        base: Aws | None = None,
    ) -> None:
        self._session: Any = session  # its own overloads list every service
        self._base = base
        self._caller = Caller(caller, session._session.profile, session.region_name)
        self._keys = keys or {}  # of an assumed role, in place of the session's own
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = lock or threading.Lock()

    @property
    def region(self) -> str:
        """Return the session's region."""
        return str(self._session.region_name)

    def regions(self, service: str) -> list[str]:
        """List the regions that have a service, in the session's partition, as botocore knows them.

        The account may have some of them disabled.
        """
        partition = partition_of_region(self.region)
        return list(self._session.get_available_regions(service, partition_name=partition))

    @property
    def base(self) -> Aws:
        """Return the calls of the profile or the chain, before a role was assumed."""
        return self._base or self

    def environment(self, folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
        """Return what Terraform's environment needs to act as this identity; see ``mfa``.

        Empty unless the profile asks for an MFA code: Terraform finds all else by itself.

        Raises:
            OSError: a file cannot be read or written.
        """
        return mfa.environment(self._session._session, folder, environ)

    def observe(self) -> Aws:
        """Begin an observation: the same clients, and each fact is read from AWS at most once."""
        observation = copy.copy(self)
        observation.facts = Facts()
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
        self, service: Literal["cost-optimization-hub"], region: str | None = None
    ) -> CostOptimizationHubClient: ...
    @overload
    def client(
        self, service: Literal["compute-optimizer"], region: str | None = None
    ) -> ComputeOptimizerClient: ...
    @overload
    def client(self, service: Literal["kms"], region: str | None = None) -> KMSClient: ...
    @overload
    def client(
        self, service: Literal["organizations"], region: str | None = None
    ) -> OrganizationsClient: ...
    @overload
    def client(self, service: Literal["sts"], region: str | None = None) -> STSClient: ...
    @overload
    def client(self, service: Literal["support"], region: str | None = None) -> SupportClient: ...
    def client(self, service: str, region: str | None = None) -> Any:
        """Return the boto3 client of ``service`` in ``region`` (default: the session's)."""
        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                without = service in _WITHOUT_FIPS
                config = _CLIENT_CONFIG.merge(_NO_FIPS) if without else _CLIENT_CONFIG
                self._clients[key] = self._session.client(
                    service, region_name=key[1], config=config, **self._keys
                )
                note_subjects(self._clients[key], self._caller)
            return self._clients[key]

    def unsigned_s3(self, region: str | None = None) -> S3Client:
        """Return a client that reads public objects as nobody: no credentials are sent."""
        config = _CLIENT_CONFIG.merge(botocore.config.Config(signature_version=botocore.UNSIGNED))
        with self._lock:
            client: S3Client = self._session.client(
                "s3", region_name=region or self.region, config=config
            )
            return client

    def assume(self, role: AssumeRole) -> Aws:
        """Assume ``role`` and return the calls of that identity, which share the loaded models."""
        keys = self._keys_of(role)
        return Aws(self._session, keys=keys, lock=self._lock, caller=role.role_arn)

    def try_to_assume(self, role: AssumeRole) -> None:
        """Assume ``role``, and drop its credentials unseen."""
        self.client("sts").assume_role(**_arguments(role))

    def acting_as(self, role: AssumeRole) -> Aws:
        """Assume ``role`` for as long as the process runs: its credentials renew themselves."""

        def fetch() -> dict[str, str]:
            given = self._assume(role)
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        credentials = DeferredRefreshableCredentials(fetch, "assume-role")
        credentials.get_frozen_credentials()  # a refusal is met here
        before = self._session._session  # boto3 shows no other way to it
        session = botocore.session.Session(profile=before.profile)
        session.register_component("data_loader", before.get_component("data_loader"))
        session.register_component("credential_provider", CredentialResolver([_Given(credentials)]))
        acting = boto3.Session(botocore_session=session, region_name=self.region)
        return Aws(acting, caller=role.role_arn, base=self)

    def in_accounts(self) -> IamInAccounts:
        """Create an IAM client for calls in many accounts, each as a role of that account."""
        with self._lock:
            client = self._session.client(
                "iam", region_name=self.region, config=_CLIENT_CONFIG, **_PLACEHOLDER
            )
            note_subjects(client, replace(self._caller, arn=""))
        return IamInAccounts(client, self._keys_of)

    def _keys_of(self, role: AssumeRole) -> dict[str, str]:
        given = self._assume(role)
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }

    def _assume(self, role: AssumeRole) -> CredentialsTypeDef:
        credentials = self.client("sts").assume_role(**_arguments(role))["Credentials"]
        keep_out(credentials["SecretAccessKey"], credentials["SessionToken"])
        return credentials


def _arguments(role: AssumeRole) -> AssumeRoleRequestTypeDef:
    arguments: AssumeRoleRequestTypeDef = {
        "RoleArn": role.role_arn,
        "RoleSessionName": role.session_name,
        "DurationSeconds": role.duration_seconds,
    }
    if role.external_id is not None:
        arguments["ExternalId"] = role.external_id
    return arguments


class _Given(CredentialProvider):
    """A source of credentials that were made before."""

    METHOD = "given"

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Credentials:
        return self._credentials


class IamInAccounts:
    """An IAM client that signs as many roles: one client for each would take longer to create."""

    def __init__(self, client: IAMClient, keys_of: Callable[[AssumeRole], dict[str, str]]) -> None:
        self._client = client
        self._keys_of = keys_of
        self._thread = threading.local()
        client.meta.events.register("before-sign.*.*", self._sign)

    def as_role(self, role: AssumeRole) -> IAMClient:
        """Assume ``role`` for this thread's calls, until the thread assumes another one."""
        keys = self._keys_of(role)
        if before := getattr(self._thread, "credentials", None):
            stop_keeping_out(before.secret_key, before.token)
        self._thread.credentials = Credentials(
            keys["aws_access_key_id"], keys["aws_secret_access_key"], keys["aws_session_token"]
        )
        return self._client

    def _sign(self, request: Any, **_: Any) -> None:
        # botocore.signers.RequestSigner.sign takes a request's own credentials from here.
        signing = request.context.setdefault("signing", {})
        signing["request_credentials"] = self._thread.credentials


def connect(
    *,
    region: str,
    profile: str | None = None,
    assume_role: AssumeRole | None = None,
    on_question: Callable[[str], None] = lambda _question: None,
) -> Aws:
    """Connect by the named profile or the default credential chain, then by a role if given.

    ``on_question`` is called before a person is asked for an MFA code.

    Raises:
        botocore.exceptions.BotoCoreError: no such profile, no credentials.
        ServiceError: the role may not be assumed.
    """
    session = boto3.Session(profile_name=profile, region_name=region)
    core = session._session
    if mfa.asks_code(core):
        mfa.prepare(core, on_question)
    base = Aws(session)
    return base.acting_as(assume_role) if assume_role else base


def available_profiles() -> tuple[str, ...]:
    """List the profiles of the AWS configuration and credentials files."""
    return tuple(boto3.Session().available_profiles)
