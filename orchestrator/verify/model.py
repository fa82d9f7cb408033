"""What a check is, what it may look at, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from orchestrator.errors import ExitCode

if TYPE_CHECKING:
    from orchestrator.aws.session import Aws
    from orchestrator.model.module_outputs import Outputs
    from orchestrator.model.octo_records import OctoAnswer


class Area(str, Enum):
    """The areas whose status Octo shows for an account."""

    API_ACCESS = "api_access"
    CUR_S3 = "cur_s3"
    STACKSET = "stackset"

    @property
    def label(self) -> str:
        """The area's name for a person."""
        return {"api_access": "API access", "cur_s3": "CUR and S3", "stackset": "StackSet"}[
            self.value
        ]


class Status(str, Enum):
    """``pending``: right as far as can be seen, but AWS is not done. ``skipped``: not looked at."""

    PASS = "pass"  # noqa: S105  (a status, not a password)
    FAIL = "fail"
    PENDING = "pending"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """What one check saw.

    Attributes:
        status: the verdict.
        summary: one sentence: what was found, with names.
        evidence: facts behind the verdict; never an external id, key or token.
        hint: what solves it; set whenever the status is not ``pass``.
    """

    status: Status
    summary: str
    evidence: dict[str, object] = field(default_factory=dict)
    hint: str = ""


@dataclass(frozen=True)
class Context:
    """All that a check may look at.

    Attributes:
        expected: the module's outputs: what should be there.
        external_id: the id that Octo presents; secret, never put into a finding.
        aws: calls as the account itself.
        principal: calls as Octo's principal account, where its credentials are at hand.
        now: seconds since the epoch, for ages.
    """

    expected: Outputs
    external_id: str = field(repr=False)
    aws: Aws
    principal: Aws | None
    now: Callable[[], float]


@dataclass(frozen=True)
class Check:
    """One promise about an account, found by the runner through its place in ``checks/``.

    Attributes:
        id: ``<area>.<subject>``, stable: reports and users refer to it.
        area: the area whose status it decides.
        promise: one line: what holds when the check passes.
        permissions: the IAM actions it calls, as the caller needs them.
        applies: whether the account has what is checked; the check is left out otherwise.
        run: looks, and answers; botocore's errors are the runner's to handle.
    """

    id: str
    area: Area
    promise: str
    permissions: tuple[str, ...]
    applies: Callable[[Context], bool]
    run: Callable[[Context], Finding]


@dataclass(frozen=True)
class CheckResult:
    """A check's finding, with what it promised and how long it took (seconds)."""

    id: str
    area: Area
    promise: str
    finding: Finding
    seconds: float


@dataclass(frozen=True)
class Report:
    """Everything verify found out about one account.

    ``areas`` holds each area's status: the worst of its checks (fail, pending, pass), or
    ``skipped`` where the account type does not have it or it was not asked for. ``octo`` holds
    what Octo itself said of the areas that pass. ``unapplied`` names the settings that octo.yaml
    asks for otherwise than they were applied last.
    """

    account_id: str
    account_type: str
    account_name: str
    results: tuple[CheckResult, ...]
    areas: dict[Area, Status]
    octo: dict[Area, OctoAnswer] = field(default_factory=dict)
    unapplied: tuple[str, ...] = ()

    @property
    def can_finish(self) -> bool:
        """Whether *Confirm and Finish* is allowed: as soon as API access succeeds, for Octo too."""
        answer = self.octo.get(Area.API_ACCESS)
        accepted = answer is None or answer.state in ("confirmed", "by_hand")
        return self.areas[Area.API_ACCESS] is Status.PASS and accepted

    @property
    def status(self) -> Status:
        """The worst status over all areas; ``skipped`` areas do not count."""
        statuses = set(self.areas.values())
        for worst in (Status.FAIL, Status.PENDING, Status.PASS):
            if worst in statuses:
                return worst
        return Status.SKIPPED

    @property
    def exit_code(self) -> ExitCode:
        """What a command that verifies ends with; Octo's refusal is a failure too."""
        states = {answer.state for answer in self.octo.values()}
        waiting = {"pending", "unreachable", "waiting", "not_registered"}
        if self.status is Status.FAIL or self.unapplied or "refused" in states:
            return ExitCode.VERIFICATION_FAILED
        if self.status is Status.PENDING or states & waiting:
            return ExitCode.VERIFICATION_PENDING
        return ExitCode.DONE
