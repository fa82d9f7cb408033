"""A check, what it reads by (``Context``), and its results: finding, check result, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.errors import ExitCode
from orchestrator.model.coverage import Coverage
from orchestrator.model.desired import Desired
from orchestrator.model.module_contract.octo_names import Area as Area
from orchestrator.model.observed import Observed, Probes
from orchestrator.verify.remedy import Remedy, for_terraform

if TYPE_CHECKING:
    from orchestrator.aws.session import Aws
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
    """What checks read by.

    Attributes:
        desired: what the account should have; its names say what to read.
        aws: an observation of the account, as the account itself.
        principal: calls as Octo's principal account; None without its credentials.
        now: returns the seconds since the epoch.
    """

    desired: Desired
    aws: Aws
    principal: Aws | None
    now: Callable[[], float]


@dataclass(frozen=True)
class Check:
    """One promise about an account; each module of ``checks/`` defines one as ``CHECK``.

    Attributes:
        id: ``<area>.<subject>`` or ``<feature>.<subject>``, stable: reports and users refer to it.
        promise: one line: what holds when the check passes.
        permissions: the IAM actions that the caller needs for it.
        judge: compares what was read with what is desired, without any I/O.
        read: reads what is judged, by the readers of ``orchestrator/aws``; the runner turns errors
            of AWS calls into findings.
        probe: tries the access of Octo's own account; not called without its credentials.
        only_if: tells whether an account that has the area has what is checked.
        awaited: whether a wait (``--wait``) repeats it while it is pending; not what takes days.
        optional: what is left unchecked, in words, without a failure, where reading is denied.
    """

    id: str
    promise: str
    permissions: tuple[str, ...]
    judge: Callable[[Desired, Observed], Finding]
    read: Callable[[Context], Observed] = lambda _context: Observed()
    probe: Callable[[Aws, Desired, Observed], Probes] | None = None
    only_if: Callable[[Desired], bool] = lambda _desired: True
    awaited: bool = True
    optional: str = ""

    def run(self, context: Context) -> Finding:
        """Read, probe and judge."""
        observed = self.read(context)
        if self.probe and context.principal:
            probes = self.probe(context.principal, context.desired, observed)
            observed = replace(observed, probes=probes)
        return self.judge(context.desired, observed)

    @property
    def area(self) -> str:
        """The area, or the feature, whose status it contributes to."""
        return self.id.partition(".")[0]

    def applies(self, desired: Desired) -> bool:
        """Tell whether the account has what is checked; otherwise the check is not run."""
        return desired.has(self.area) and self.only_if(desired)


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
