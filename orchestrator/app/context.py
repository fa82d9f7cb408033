"""What the steps of one account's run share: what to register, how to run, and the ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import SecretStr

from orchestrator.app.cloud import Cloud
from orchestrator.app.events import Asked, Events, ResourceProgress
from orchestrator.cancellation import Cancellation
from orchestrator.detection.imports import ImportRules
from orchestrator.errors import OctoTfError
from orchestrator.model.external_ids import Acceptance
from orchestrator.model.registration import Registration
from orchestrator.model.version_constraint import Constraint
from orchestrator.octo.credentials import ENDPOINT
from orchestrator.octo.credentials import Credentials as OctoCredentials
from orchestrator.octo.ledger import Ledger
from orchestrator.octo.registration import RegistrationService
from orchestrator.terraform import binary, run_log
from orchestrator.terraform import events as terraform_events
from orchestrator.terraform.client import Terraform


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what to register.

    Attributes:
        lock_seconds: how long another run's state lock is waited for.
        principal_profile: the AWS profile of Octo's principal account, where it is at hand.
        enable_access: whether CloudFormation's access to the organization may be switched on.
        wait_seconds: how long verify waits for what is pending.
        imports: which existing resources may be imported, besides those of a killed run.
        retired_ids: external ids that a rotation drops, and that the roles must refuse; None while
            none is dropped: a second accepted id that the state has then stays.
        octo_credentials: Octo's API client; None works without Octo's API.
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
    imports: ImportRules = field(default_factory=ImportRules)
    retired_ids: tuple[SecretStr, ...] | None = None
    octo_credentials: OctoCredentials | None = None
    octo_endpoint: str = ENDPOINT
    place_of: Callable[[str], str] = str


@dataclass(frozen=True)
class AccountContext:
    """One account's run. The ports do I/O when a method is called, and only then.

    Attributes:
        octo: the registration with Octo: the ledger, and Octo's API where there are credentials.
        open_terraform: gives Terraform in the root folder; the external id is kept out of errors.
    """

    registration: Registration
    settings: Settings
    events: Events
    cancellation: Cancellation
    cloud: Cloud
    octo: RegistrationService
    open_terraform: Callable[[SecretStr], Terraform]

    @property
    def folder(self) -> Path:
        """The root folder: rendered files, state, ledger."""
        return root_folder(self.registration, self.settings)

    @property
    def account_name(self) -> str:
        """The account's name in octo.yaml; empty if it has none."""
        return self.registration.account_name or ""

    @property
    def plan_file(self) -> Path:
        """Where a plan is saved that nobody asked to keep."""
        return self.folder / "octo.tfplan"

    @property
    def provider_version(self) -> Constraint:
        """The versions of the AWS provider that octo.yaml asks for."""
        return Constraint.parse(self.registration.provider_version)

    @property
    def acceptance(self) -> Acceptance:
        """Return which ids the roles accept beside Octo's one, and which they must refuse."""
        rotation = self.registration.external_id_rotation
        return Acceptance(
            tuple(i.get_secret_value() for i in self.registration.accepted_external_ids),
            rotation.since or "" if rotation else "",
            tuple(i.get_secret_value() for i in self.settings.retired_ids or ()),
        )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other octo-tf runs out of the root folder during the block.

        A Terraform whose octo-tf was killed is waited for. The folder is made if it is missing:
        identify the account first.

        Raises:
            OctoTfError: another run is at work there, or the folder cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise OctoTfError(
                f"the folder cannot be made: {error.strerror}",
                where=str(self.folder),
                hint="Correct the path or its permissions, or choose another place with --workdir.",
            ) from error
        try:
            with FileLock(self.folder / "run.lock", timeout=0, mode=0o600):
                run_log.wait_for_earlier(
                    self.folder, on_wait=self.events.warn, cancellation=self.cancellation
                )
                yield
        except Timeout:
            raise OctoTfError(
                "another octo-tf is at work on this account",
                where=str(self.folder),
                hint="Wait for it to end, then run the same command again.",
            ) from None


def root_folder(registration: Registration, settings: Settings) -> Path:
    """Name the folder that holds an account's rendered files, state and ledger."""
    return (settings.workdir / registration.account_id).absolute()


def build(
    registration: Registration,
    settings: Settings,
    *,
    events: Events | None = None,
    cancellation: Cancellation | None = None,
) -> AccountContext:
    """Connect the real ports: AWS, Octo and Terraform. Nothing is asked yet."""
    events, cancellation = events or Events(), cancellation or Cancellation()
    api = None
    if settings.octo_credentials is not None:
        from orchestrator.octo.api import OctoApi  # requests takes a while to load

        api = OctoApi(settings.octo_endpoint, settings.octo_credentials)
    folder = root_folder(registration, settings)

    def on_event(event: terraform_events.Event) -> None:
        if isinstance(event, terraform_events.ResourceProgress):
            events.emit(ResourceProgress(event.address, event.action, event.stage, event.elapsed))

    cloud = Cloud(
        registration,
        principal_profile=settings.principal_profile,
        cancellation=cancellation,
        warn=events.warn,
        on_question=lambda question: events.emit(Asked(question, "")),
    )

    def open_terraform(external_id: SecretStr) -> Terraform:
        session = cloud.environment(folder / ".terraform", settings.environ)
        return Terraform(
            binary.find(settings.tf_path, settings.environ),
            folder,
            environ={**settings.environ, **session},
            secrets=[
                secret.get_secret_value()
                for secret in (external_id, *registration.accepted_external_ids)
            ],
            on_event=on_event,
            on_interrupt=events.warn,
            cancellation=cancellation,
            parallelism=settings.parallelism,
            lock_seconds=settings.lock_seconds,
        )

    return AccountContext(
        registration,
        settings,
        events,
        cancellation,
        cloud,
        RegistrationService(
            Ledger(folder / "ledger.json"), api, region=registration.region, warn=events.warn
        ),
        open_terraform,
    )
