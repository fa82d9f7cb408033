"""What a doctor's check looks at and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from orchestrator.app.context import AccountContext
from orchestrator.errors import OctoTfError
from orchestrator.model.version_constraint import DEFAULT, Constraint


class Status(Enum):
    """``warning`` lets a run go on; ``skipped`` could not be looked at for an earlier problem."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Line:
    """What was found; ``mend`` is set whenever the status is not ``ok``. No secrets."""

    status: Status
    summary: str
    mend: str = ""


@dataclass(frozen=True)
class Patient:
    """All that a check may look at.

    Attributes:
        context: the registration; None where octo.yaml is wrong.
        error: what is wrong with octo.yaml.
        environ: the process's environment.
        folder: where octo-tf would work.
        now: seconds since the epoch.
    """

    context: AccountContext | None
    error: OctoTfError | None
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    now: Callable[[], float]

    @property
    def tf_path(self) -> str | None:
        """The Terraform program that was asked for."""
        return self.context.settings.tf_path if self.context else None

    @property
    def provider_version(self) -> Constraint:
        """The versions of the AWS provider that were asked for."""
        return Constraint.parse(
            self.context.registration.provider_version if self.context else DEFAULT
        )


@dataclass(frozen=True)
class Check:
    """One line of the doctor.

    Attributes:
        id: stable: programs refer to it.
        run: looks, and answers; an OctoTfError becomes a problem line with its hint.
    """

    id: str
    run: Callable[[Patient], Line]


UNREADABLE = Line(
    Status.SKIPPED,
    "Not looked at: it depends on octo.yaml.",
    "Mend the configuration first.",
)
