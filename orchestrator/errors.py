"""Every error that octo-tf raises on purpose, and the exit code each ends in.

    OctoTfError                  1    something failed
    ├── ConfigError             64    octo.yaml, a flag or a variable is wrong
    ├── AwsError                 1    an AWS call failed
    │   └── AccessDenied         1    the caller lacks a permission
    ├── RenderError              1    the rendered root is not what was meant
    ├── EngineError              1    Terraform is missing, too old, or failed
    ├── Pending                  4    a change in AWS has not finished yet
    ├── LedgerError              1    the ledger of Octo cannot be read or written
    ├── OctoError                1    Octo's API failed
    │   ├── OctoUnreachable      1    it does not answer, or not now
    │   └── OctoRefused          1    it answers, and will not do it
    └── Refused                  5    octo-tf will not do it
        ├── Excludable           5    linked accounts cannot be deployed to
        │   ├── Clash            5    they have a role of the StackSet's name
        │   └── CutOff           5    the organization's policies deny it
        ├── WrongAccount         5    the credentials belong to another account
        └── PlanRefused          5    the plan destroys what must stay

An error says what happened, where, and what to do next. The command line turns it
into text and an exit code in one place (``orchestrator/cli/__init__.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """What the process ends with; a public contract (README, "Exit codes")."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    VERIFICATION_FAILED = 3
    VERIFICATION_PENDING = 4
    REFUSED = 5
    USAGE = 64
    INTERRUPTED = 130


class OctoTfError(Exception):
    """The root of the family.

    Attributes:
        what: one sentence that says what happened.
        where: ``file:line:column``, an account, or a resource address; empty if nowhere.
        hint: what to do next, in the imperative; empty if there is nothing to do.
    """

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class ConfigError(OctoTfError):
    """octo.yaml, a flag or an environment variable is wrong."""

    exit_code = ExitCode.USAGE


class AwsError(OctoTfError):
    """An AWS call failed for a reason that a retry does not solve."""


class AccessDenied(AwsError):
    """The caller lacks the permission for an AWS call."""


class RenderError(OctoTfError):
    """The rendered root module could not be written, or does not read back as meant."""


class EngineError(OctoTfError):
    """Terraform is missing, too old, or ended with an error."""


class Pending(OctoTfError):
    """A change in AWS has not finished yet; nothing has failed."""

    exit_code = ExitCode.VERIFICATION_PENDING


class LedgerError(OctoTfError):
    """The ledger of what was registered with Octo cannot be read or written."""


class OctoError(OctoTfError):
    """A call to Octo's API failed; the credentials, for one, are wrong."""


class OctoUnreachable(OctoError):
    """Octo cannot be reached, is busy or has a fault of its own: later it may go well."""


class OctoRefused(OctoError):
    """Octo answers and refuses; the same call again would be refused again.

    Attributes:
        code: the gRPC code that Octo gave (5: not found, 6: already there, 7: denied, ...).
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "", code: int = 0) -> None:
        super().__init__(what, where=where, hint=hint)
        self.code = code


class Refused(OctoTfError):
    """octo-tf refuses to go on; nothing was written."""

    exit_code = ExitCode.REFUSED


class Excludable(Refused):
    """Linked accounts cannot be deployed to; excluded from the StackSet, the others can.

    Attributes:
        excluded: the accounts to exclude so that the others can be deployed to: those, and what
            octo.yaml excludes already.
    """

    def __init__(
        self, what: str, *, where: str, hint: str, count: int, excluded: tuple[str, ...]
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.count = count
        self.excluded = excluded


class Clash(Excludable):
    """Linked accounts have a role already that the StackSet would create."""


class CutOff(Excludable):
    """The organization's policies deny the deployment to linked accounts, or Octo's access."""


class WrongAccount(Refused):
    """The credentials belong to another account than the one that was meant."""


class PlanRefused(Refused):
    """The plan would destroy or replace something that must stay."""


@contextmanager
def writing(place: Path, kind: type[OctoTfError] = OctoTfError) -> Iterator[None]:
    """Turn an OSError of the block into an error with its place and a fix.

    Args:
        place: where it failed, if the OSError names no file.
    """
    try:
        yield
    except OSError as error:
        raise kind(
            f"cannot be written: {error.strerror}",
            where=str(error.filename or place),
            hint="Free disk space or correct the permissions, then run the same command again.",
        ) from error
