"""A check, its input (``Context``) and its results: finding, check result, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.errors import ExitCode
from orchestrator.model.coverage import Coverage
from orchestrator.model.external_ids import NO_ROTATION, Acceptance
from orchestrator.model.module_contract.octo_names import Area as Area
from orchestrator.verify.remedy import Remedy, for_terraform

if TYPE_CHECKING:
    from orchestrator.aws.session import Aws
    from orchestrator.model.module_contract.outputs import CurOutput, Outputs, StackSetOutput
    from orchestrator.model.octo_records import AccountRecord, OctoAnswer


class Status(str, Enum):
    """A check's verdict.

    ``warn``: it works, and should be better. ``pending``: AWS has not finished. ``skipped``: not
    checked.
    """

    PASS = "pass"  # noqa: S105  (a status, not a password)
    FAIL = "fail"
    WARN = "warn"
    PENDING = "pending"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        status: the verdict.
        summary: one sentence that says what was found, with the resource's name.
        evidence: the facts behind the verdict; never an external id, key or token.
        remedy: what to do; set whenever the status is not ``pass``.
    """

    status: Status
    summary: str
    evidence: dict[str, object] = field(default_factory=dict)
    remedy: Remedy = ""

    @property
    def coverage(self) -> Coverage | None:
        """The evidence of the check that looks at each linked account."""
        found = self.evidence.get("coverage")
        return found if isinstance(found, Coverage) else None

    @property
    def hint(self) -> str:
        """Say what to do about an account that Terraform manages."""
        return for_terraform(self.remedy)


def passed(summary: str, **evidence: object) -> Finding:
    """Return the finding of a check that passes."""
    return Finding(Status.PASS, summary, evidence)


def failed(summary: str, remedy: Remedy, **evidence: object) -> Finding:
    """Return the finding of a check that fails."""
    return Finding(Status.FAIL, summary, evidence, remedy)


def warned(summary: str, remedy: Remedy, **evidence: object) -> Finding:
    """Return the finding of a check that holds, with something that should be better."""
    return Finding(Status.WARN, summary, evidence, remedy)


def pending(summary: str, remedy: Remedy, **evidence: object) -> Finding:
    """Return the finding of a check that AWS has not finished."""
    return Finding(Status.PENDING, summary, evidence, remedy)


def skipped(summary: str, remedy: Remedy, **evidence: object) -> Finding:
    """Return the finding of a check that was not run; it does not count as a failure."""
    return Finding(Status.SKIPPED, summary, evidence, remedy)


@dataclass(frozen=True)
class Context:
    """The input of a check.

    Attributes:
        expected: the module's outputs, which say what should exist.
        external_id: the id that Octo presents; a secret, never put into a finding.
        aws: an observation of the account, as the account itself.
        principal: calls as Octo's principal account; None without its credentials.
        now: returns the seconds since the epoch.
        acceptance: the external ids of a rotation; without one, ``external_id`` stands alone.
    """

    expected: Outputs
    external_id: str = field(repr=False)
    aws: Aws
    principal: Aws | None
    now: Callable[[], float]
    acceptance: Acceptance = NO_ROTATION

    @property
    def accepted_ids(self) -> tuple[str, ...]:
        """The external ids that the roles are to accept."""
        return self.acceptance.accepted(self.external_id)

    def has(self, area: str) -> bool:
        """Tell whether the registration has an area, or the account a feature."""
        if area in (Area.CUR_S3, Area.STACKSET):
            of_area = {Area.CUR_S3: self.expected.cur, Area.STACKSET: self.expected.stackset}
            return of_area[Area(area)] is not None
        return area == Area.API_ACCESS or area in self.expected.api_access.features

    @property
    def cur(self) -> CurOutput:
        """The report that the module created; only for registrations that have one."""
        if self.expected.cur is None:
            raise LookupError("this account has no report")
        return self.expected.cur

    @property
    def stackset(self) -> StackSetOutput:
        """The StackSet that the module created; only for registrations that have one."""
        if self.expected.stackset is None:
            raise LookupError("the registration has no StackSet")
        return self.expected.stackset


@dataclass(frozen=True)
class Check:
    """One promise about an account; each module of ``checks/`` defines one as ``CHECK``.

    Attributes:
        id: ``<area>.<subject>`` or ``<feature>.<subject>``, stable: reports and users refer to it.
        promise: one line: what holds when the check passes.
        permissions: the IAM actions that the caller needs for it.
        run: judges the facts of the observation, or probes; the runner turns errors of AWS calls
            into findings.
        only_if: tells whether an account that has the area has what is checked.
        awaited: whether a wait (``--wait``) repeats it while it is pending; not what takes days.
    """

    id: str
    promise: str
    permissions: tuple[str, ...]
    run: Callable[[Context], Finding]
    only_if: Callable[[Context], bool] = lambda _context: True
    awaited: bool = True

    @property
    def area(self) -> str:
        """The area, or the feature, whose status it contributes to."""
        return self.id.partition(".")[0]

    def applies(self, context: Context) -> bool:
        """Tell whether the account has what is checked; otherwise the check is not run."""
        return context.has(self.area) and self.only_if(context)


@dataclass(frozen=True)
class CheckResult:
    """A check's finding, with its area or feature, its promise and its duration in seconds."""

    id: str
    area: str
    promise: str
    finding: Finding
    seconds: float


class Section(NamedTuple):
    """An area or a feature of a report: its id, its name as users read it, and its status."""

    id: str
    label: str
    status: Status


@dataclass(frozen=True)
class Report:
    """The verification of one account.

    ``areas`` holds each area's status: the worst of its checks (fail, pending, pass; a warning
    passes), or ``skipped`` if the account type does not have the area or it was not to be
    checked. ``features`` holds the same of each feature besides ``cost``, whose checks are those of
    API access and the report; a feature that fails keeps nobody from *Confirm and Finish*.
    ``octo`` holds Octo's own answer for the areas that pass. ``unapplied`` names the
    settings that octo.yaml and the last apply have with different values. ``record``: the
    account's history, once the verification was noted. ``observed``: the last observation.
    """

    account_id: str
    account_type: str
    account_name: str
    results: tuple[CheckResult, ...]
    areas: dict[Area, Status]
    features: dict[str, Status] = field(default_factory=dict)
    octo: dict[Area, OctoAnswer] = field(default_factory=dict)
    unapplied: tuple[str, ...] = ()
    record: AccountRecord | None = None
    observed: Aws | None = field(default=None, repr=False, compare=False)

    @property
    def can_finish(self) -> bool:
        """Tell whether *Confirm and Finish* is allowed: API access passes, here and in Octo."""
        answer = self.octo.get(Area.API_ACCESS)
        accepted = answer is None or answer.state in ("confirmed", "by_hand")
        return self.areas[Area.API_ACCESS] is Status.PASS and accepted

    @property
    def sections(self) -> list[Section]:
        """List the areas, then the features, with their status."""
        areas = [Section(a.value, a.label, status) for a, status in self.areas.items()]
        return [*areas, *(Section(name, name, status) for name, status in self.features.items())]

    @property
    def warnings(self) -> int:
        """Count the checks that warn; they change no area's status."""
        return sum(result.finding.status is Status.WARN for result in self.results)

    @property
    def status(self) -> Status:
        """Return the worst status of all areas and features, without the skipped ones."""
        statuses = {section.status for section in self.sections}
        for worst in (Status.FAIL, Status.PENDING, Status.PASS):
            if worst in statuses:
                return worst
        return Status.SKIPPED

    @property
    def exit_code(self) -> ExitCode:
        """Return the exit code of a command that verifies; a refusal by Octo is a failure."""
        states = {answer.state for answer in self.octo.values()}
        waiting = {"pending", "unreachable", "waiting", "not_registered"}
        if self.status is Status.FAIL or self.unapplied or "refused" in states:
            return ExitCode.VERIFICATION_FAILED
        if self.status is Status.PENDING or states & waiting:
            return ExitCode.VERIFICATION_PENDING
        return ExitCode.DONE

    @property
    def strict_exit_code(self) -> ExitCode:
        """Return the exit code where a warning counts as a failure (``--strict``)."""
        return ExitCode.VERIFICATION_FAILED if self.warnings else self.exit_code
