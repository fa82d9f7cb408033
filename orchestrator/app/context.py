"""One registration on its way: what to register, how to run, and the rooms it needs, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from pydantic import SecretStr

from orchestrator.aws.bucket import has_policy
from orchestrator.aws.errors import explained
from orchestrator.aws.identity import identify
from orchestrator.aws.session import AssumeRole, Aws, connect
from orchestrator.detection.imports import Names
from orchestrator.errors import ConfigError, OctoTfError, OctoUnreachable
from orchestrator.model import resource_names
from orchestrator.model.account import Account
from orchestrator.model.registration import Credentials, Registration
from orchestrator.octo.credentials import ENDPOINT
from orchestrator.octo.credentials import Credentials as OctoCredentials
from orchestrator.octo.external_id import agreed
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.registration import Octo
from orchestrator.stackset.linked import LinkedAccounts
from orchestrator.stackset.preflight import check_type
from orchestrator.terraform import binary, render
from orchestrator.terraform.client import Terraform
from orchestrator.ui.terminal import Progress

if TYPE_CHECKING:
    from orchestrator.octo.api import OctoApi


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what to register.

    Attributes:
        workdir: holds one root folder per account.
        environ: the process's environment.
        tf_path: the Terraform program; None searches PATH.
        parallelism: Terraform's ``-parallelism``.
        lock_seconds: how long another run's state lock is waited for.
        principal_profile: the AWS profile of Octo's principal account, where it is at hand.
        allow_destroy: addresses that may be destroyed.
        enable_access: whether CloudFormation's access to the organization may be switched on.
        wait_seconds: how long verify waits for what is pending.
        adopting: whether what is there may be taken over although it is not as we make it.
        may_go: what the user agreed to lose by that: the resource, and what of it.
        octo_credentials: Octo's API client; None works without Octo's API.
        octo_endpoint: the address of Octo's API.
        place_of: where a setting was set, for errors about it.
    """

    workdir: Path
    environ: Mapping[str, str]
    tf_path: str | None = None
    parallelism: int | None = None
    lock_seconds: float = 60.0
    principal_profile: str | None = None
    allow_destroy: frozenset[str] = frozenset()
    wait_seconds: float = 0.0
    enable_access: bool = False
    adopting: bool = False
    may_go: frozenset[tuple[str, str]] = frozenset()
    octo_credentials: OctoCredentials | None = None
    octo_endpoint: str = ENDPOINT
    place_of: Callable[[str], str] = str


def reach(region: str, credentials: Credentials) -> Aws:
    """The account, by the credentials that octo.yaml, flags or the environment name.

    Raises:
        AwsError: there are none, or the role may not be assumed.
    """
    role = credentials.assume_role
    with explained("connecting to AWS"):
        return connect(
            region=region,
            profile=credentials.profile,
            assume_role=AssumeRole(role.role_arn, role.session_name, role.external_id)
            if role
            else None,
        )


@dataclass
class Run:
    """One registration on its way; each property is made when it is first needed."""

    registration: Registration
    settings: Settings
    progress: Progress = field(default_factory=Progress)

    @property
    def folder(self) -> Path:
        """The root folder: rendered files, state, ledger."""
        return (self.settings.workdir / self.registration.account_id).absolute()

    @property
    def plan_file(self) -> Path:
        """Where a plan is saved that nobody asked to keep."""
        return self.folder / "octo.tfplan"

    @cached_property
    def octo_api(self) -> OctoApi | None:
        """Octo itself; None where there are no credentials."""
        if self.settings.octo_credentials is None:
            return None
        from orchestrator.octo.api import OctoApi  # requests takes a while to load

        return OctoApi(self.settings.octo_endpoint, self.settings.octo_credentials)

    @cached_property
    def octo(self) -> Octo:
        """Octo's side."""
        return Octo(
            Ledger(self.folder / "ledger.json"),
            self.octo_api,
            region=self.registration.region,
            tell=self.progress.warn,
        )

    @cached_property
    def external_id(self) -> SecretStr:
        """The external id: Octo's own, which octo.yaml must not contradict.

        Raises:
            ConfigError: octo.yaml says another one, or another principal.
            OctoError: Octo refuses, or does not answer and octo.yaml has none.
        """
        own = self.registration.external_id
        if self.octo_api is None or self.settings.octo_credentials is None:
            if own is None:
                where = self.settings.place_of("external_id")
                raise ConfigError("external_id is missing", where=where)
            return own
        try:
            return agreed(
                self.registration,
                self.octo_api,
                self.settings.octo_credentials,
                self.settings.place_of,
            )
        except OctoUnreachable as error:
            if own is None:
                raise
            self.progress.warn(f"{error}. Going on with the external id of octo.yaml.")
            return own

    @cached_property
    def aws(self) -> Aws:
        """The account, by the credentials that octo.yaml or the environment names."""
        return reach(self.registration.region, self.registration.credentials)

    @cached_property
    def principal(self) -> Aws | None:
        """Octo's principal account, where its credentials are at hand (sandbox, test)."""
        profile = self.settings.principal_profile
        with explained("connecting as Octo's principal"):
            return connect(region=self.registration.region, profile=profile) if profile else None

    @cached_property
    def linked(self) -> LinkedAccounts:
        """The payer's linked accounts."""
        return LinkedAccounts(
            self.registration,
            self.aws,
            self.progress,
            on_current=partial(self.octo.linked.current, self.registration.account_id),
        )

    @property
    def names(self) -> Names:
        """The names that AWS gives once."""
        account_id = self.registration.account_id
        return Names(
            account_id,
            self.registration.cur_s3_bucket_name or resource_names.cur_bucket(account_id),
            self.registration.cur_report_name or "curreport",
            self.linked.name,
        )

    @cached_property
    def terraform(self) -> Terraform:
        """Terraform in the root folder."""
        return Terraform(
            binary.find(self.settings.tf_path, self.settings.environ),
            self.folder,
            environ=self.settings.environ,
            secrets=[self.external_id.get_secret_value()],
            on_event=self.progress.event,
            on_interrupt=self.progress.warn,
            parallelism=self.settings.parallelism,
            lock_seconds=self.settings.lock_seconds,
        )

    @cached_property
    def account(self) -> Account:
        """Who the credentials are, made sure to be the account that was meant."""
        with self.progress.step("Identifying the account"):
            return identify(
                self.aws,
                self.registration.account_id,
                declared_type=self.registration.account_type,
            )

    def rendered(self) -> render.Root:
        """The root folder's content as it should be; nothing is written."""
        merge = self.registration.cur_s3_bucket_merge_policy
        bucket = self.registration.cur_s3_bucket_name
        account = self.account
        with explained(f"reading the policy of bucket {bucket}"):
            policy_exists = has_policy(self.aws, bucket) if merge and bucket else None
        linked = self.linked if self.registration.use_stackset else None
        if linked:
            check_type(account)
        return render.render(
            self.registration.model_copy(update={"external_id": self.external_id}),
            account.account_type,
            bucket_has_policy=policy_exists,
            stackset={"stackset_name": linked.name, "stackset_targets": linked.targets}
            if linked
            else None,
            allow_destroy=self.settings.allow_destroy,
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other octo-tf runs out of the root folder until the end of the block.

        The account is identified first: for a wrong one not even the folder is made.
        """
        _ = self.account
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise OctoTfError(
                f"the folder cannot be made: {error.strerror}",
                where=str(self.folder),
                hint="Free the way or the permissions, or choose another place with --workdir.",
            ) from error
        try:
            with FileLock(self.folder / "run.lock", timeout=0, mode=0o600):
                yield
        except Timeout:
            raise OctoTfError(
                "another octo-tf is at work on this account",
                where=str(self.folder),
                hint="Wait for it to end, then run the same command again.",
            ) from None
