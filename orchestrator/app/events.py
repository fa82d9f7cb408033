"""What a run reports while it goes on: typed events, in one stream, for any number of consumers.

A consumer only shows or passes on: no work of a run depends on one. Events hold no secrets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from orchestrator.app.review import Review
from orchestrator.verify.model import Report


@dataclass(frozen=True)
class StepStarted:
    """A step of the route begins; ``step`` is its stable code, ``title`` is for people."""

    code: ClassVar = "step_started"
    step: str
    title: str


@dataclass(frozen=True)
class StepEnded:
    """A step is over, after ``seconds``; ``failed`` where it raised an error."""

    code: ClassVar = "step_ended"
    step: str
    title: str
    seconds: float
    failed: bool


@dataclass(frozen=True)
class ResourceProgress:
    """Terraform works on a resource; ``stage`` is start, progress, complete or errored."""

    code: ClassVar = "resource"
    address: str
    action: str
    stage: str
    seconds: float


@dataclass(frozen=True)
class LinkedAccountsProgress:
    """How far a StackSet operation is: each linked account's status and, if it failed, why."""

    code: ClassVar = "linked_accounts"
    accounts: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Note:
    """One sentence for whoever watches."""

    code: ClassVar = "note"
    text: str


@dataclass(frozen=True)
class Warned:
    """One sentence that matters even if nobody watches."""

    code: ClassVar = "warning"
    text: str


@dataclass(frozen=True)
class Asked:
    """A question is put to the user; ``flag`` answers it beforehand."""

    code: ClassVar = "question"
    question: str
    flag: str


@dataclass(frozen=True)
class PlanMade:
    """A plan with the guard's verdict."""

    code: ClassVar = "plan"
    review: Review


@dataclass(frozen=True)
class ReportMade:
    """A verification report, Octo's answers included."""

    code: ClassVar = "report"
    report: Report


@dataclass(frozen=True)
class Ended:
    """The command is over; ``error``, ``where`` and ``hint`` are empty unless it failed."""

    code: ClassVar = "result"
    command: str
    exit_code: int
    seconds: float
    error: str = ""
    where: str = ""
    hint: str = ""


Event = (
    StepStarted
    | StepEnded
    | ResourceProgress
    | LinkedAccountsProgress
    | Note
    | Warned
    | Asked
    | PlanMade
    | ReportMade
    | Ended
)
Consumer = Callable[[Event], None]


class Events:
    """The stream of one run; steps may report from any thread."""

    def __init__(self, *consumers: Consumer) -> None:
        self._consumers = consumers
        self._lock = threading.Lock()

    def emit(self, event: Event) -> None:
        """Hand an event to each consumer, one event at a time."""
        with self._lock:
            for consumer in self._consumers:
                consumer(event)

    def note(self, text: str) -> None:
        """Report one sentence for whoever watches."""
        self.emit(Note(text))

    def warn(self, text: str) -> None:
        """Report one sentence that matters even if nobody watches."""
        self.emit(Warned(text))

    @contextmanager
    def step(self, code: str, title: str) -> Iterator[None]:
        """Report the block as a step, with its seconds."""
        self.emit(StepStarted(code, title))
        started, failed = time.monotonic(), True
        try:
            yield
            failed = False
        finally:
            self.emit(StepEnded(code, title, round(time.monotonic() - started, 3), failed))
