"""What the doctor's checks read (``DoctorContext``) and return (``DoctorResult``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.aws.identity import identify
from orchestrator.errors import OctoTfError
from orchestrator.model.version_constraint import DEFAULT, Constraint

if TYPE_CHECKING:
    from orchestrator.aws.session import Aws
    from orchestrator.model.account import Account
    from orchestrator.model.registration import Registration
    from orchestrator.octo.api import OctoApi
    from orchestrator.octo.credentials import Credentials


class DoctorStatus(Enum):
    """``warning`` does not prevent a run; ``skipped``: an earlier problem prevents the check."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class DoctorResult:
    """What a check found; ``fix`` is set whenever the status is not ``ok``. No secrets."""

    status: DoctorStatus
    summary: str
    fix: str = ""


@dataclass(frozen=True)
class DoctorContext:
    """The input of the doctor's checks.

    Attributes:
        folder: where octo-tf would work.
        now: returns the seconds since the epoch.
        registration: None if octo.yaml or a flag is wrong; then ``error`` says what.
        error: what is wrong with octo.yaml or a flag.
        connection: calls as the account, or why there are none; None without a registration.
        octo_api: Octo's API; None without credentials for it.
        place_of: returns where a setting was set, for errors about it.
    """

    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    now: Callable[[], float]
    registration: Registration | None = None
    error: OctoTfError | None = None
    connection: Aws | OctoTfError | None = None
    tf_path: str | None = None
    octo_api: OctoApi | None = None
    octo_credentials: Credentials | None = None
    place_of: Callable[[str], str] = str

    @property
    def provider_version(self) -> Constraint:
        """Return the versions of the AWS provider that were asked for."""
        asked = self.registration.provider_version if self.registration else DEFAULT
        return Constraint.parse(asked)

    def configured(self) -> tuple[Registration, Aws]:
        """Return the registration and the calls as its account.

        Raises:
            ConfigurationMissing: there is no registration.
            OctoTfError: connecting to AWS failed.
        """
        if self.registration is None or self.connection is None:
            raise ConfigurationMissing("octo.yaml is wrong")
        if isinstance(self.connection, OctoTfError):
            raise self.connection
        return self.registration, self.connection

    def identified(self) -> tuple[Registration, Aws, Account]:
        """Return the registration, the calls as its account, and the account as AWS describes it.

        Raises:
            OctoTfError: as for ``configured``; or the credentials belong to another account.
        """
        registration, aws = self.configured()
        declared = registration.account_type
        return registration, aws, identify(aws, registration.account_id, declared_type=declared)


class ConfigurationMissing(OctoTfError):
    """A check depends on octo.yaml, which is wrong; the check is skipped."""


@dataclass(frozen=True)
class DoctorCheck:
    """One check of the doctor; each module of ``checks/`` defines one as ``CHECK``.

    Attributes:
        id: stable: programs refer to it.
        run: checks; an OctoTfError becomes a problem, with the error's hint as its fix.
    """

    id: str
    run: Callable[[DoctorContext], DoctorResult]


def ok(summary: str) -> DoctorResult:
    """Return the result of a check that found nothing to fix."""
    return DoctorResult(DoctorStatus.OK, summary)


def warning(summary: str, fix: str) -> DoctorResult:
    """Return a result that does not prevent a run."""
    return DoctorResult(DoctorStatus.WARNING, summary, fix)


def problem(summary: str, fix: str) -> DoctorResult:
    """Return a result that prevents a run."""
    return DoctorResult(DoctorStatus.PROBLEM, summary, fix)
