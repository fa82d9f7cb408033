"""The console path step by step with a person, who may go back, leave, and come again later.

Nothing is remembered here: what is done already is what AWS has and Octo's side knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Protocol

from orchestrator.stacks.check import check, result_id
from orchestrator.stacks.flow import Path
from orchestrator.stacks.inputs import DEFAULT_REGION
from orchestrator.stacks.launch_link import Opening, opening
from orchestrator.stacks.steps import AREAS, LABELS, TRUSTED_ACCESS, Step, Wanted
from orchestrator.verify.model import Report, Status

_AT_WORK_SECONDS = 600.0  # a stack that CloudFormation works on is waited for this long
_MARKS = {Status.PASS: "✓", Status.FAIL: "✗", Status.PENDING: "…", Status.SKIPPED: "-"}
_TICK = "I acknowledge that AWS CloudFormation might create IAM resources with custom names"


class Person(Protocol):
    """Who walks: a person at a terminal, or a test."""

    def tell(self, text: str) -> None:
        """Says something."""

    def show(self, opening: Opening) -> None:
        """Shows the page to open."""

    def open(self, url: str) -> None:
        """Opens a page in the browser."""

    def choose(self, question: str, choices: Mapping[str, str]) -> str:
        """Asks for one of the choices, given as letter and meaning; its letter."""

    def answer(self, question: str, default: str) -> str:
        """Asks for a text."""


class Move(Enum):
    """Where a person goes from a step."""

    ON = "on"
    BACK = "back"
    QUIT = "quit"


_MOVES = {"b": Move.BACK, "q": Move.QUIT, "s": Move.ON}


class Walk:
    """One walk.

    Args:
        path: the account's console path.
        person: who walks.
        bucket: the account's own bucket for templates, if there is one.
        save: keeps what was chosen underway, for later runs.
    """

    def __init__(
        self,
        path: Path,
        person: Person,
        *,
        bucket: str | None = None,
        save: Callable[[Mapping[str, str]], None] = lambda _settings: None,
    ) -> None:
        self._path = path
        self._person = person
        self._bucket = bucket
        self._save = save

    def run(self) -> Report | None:
        """From basic details to *Confirm and Finish*; None if the person left before.

        Raises:
            WrongAccount: the credentials are another account's; nothing was asked.
            AwsError: AWS cannot be asked.
        """
        self._path.begin()
        if self._basic_details() is Move.QUIT:
            return None
        at, back = 0, False
        places = self._path.steps
        while at <= len(places):
            if at == len(places):
                report = self._finish()
                if isinstance(report, Report):
                    return report
                move = report
            else:
                self._person.tell(f"\nStep {at + 2} of {len(places) + 2}: {LABELS[places[at]]}")
                move = self._step(places[at], came_back=back)
            if move is Move.QUIT:
                return None
            back = move is Move.BACK
            at = max(0, at - 1) if back else at + 1
        return None

    def _basic_details(self) -> Move:
        account, tell = self._path.run.account, self._person.tell
        name = self._path.run.registration.account_name
        tell(f"Step 1 of {len(self._path.steps) + 2}: basic details")
        tell(
            f"  Account {account.account_id}{f' ({name})' if name else ''} is a"
            f" {account.account_type} account, and is registered."
        )
        if self._path.payer_is_known:
            return Move.ON
        tell(
            f"  Whether its payer, {self._path.payer}, is registered is not known here. Octo wants"
            " the payer first: a linked account that comes before it shows no data."
        )
        chosen = self._person.choose(
            "Is the payer registered elsewhere?", {"y": "yes, go on", "q": "no, quit"}
        )
        return Move.QUIT if chosen == "q" else Move.ON

    def _step(self, step: Step, *, came_back: bool) -> Move:
        if step == "stackset" and not self._path.has_stack_set:
            chosen = self._person.choose(
                "Deploy API access to every linked account? (optional)",
                {"y": "yes", "s": "skip", "b": "back", "q": "quit"},
            )
            if chosen != "y":
                return _MOVES[chosen]
            self._path.ask_for_stack_set()
        report = check(self._path, [step])
        if _is_deployed(report, step):
            self._person.tell("  Done already.")
            self._tell(report, every=False)
            if not came_back:
                return Move.ON
            chosen = self._person.choose("", {"s": "go on", "b": "back", "q": "quit"})
            return _MOVES[chosen]
        if step == "cur" and not self._chosen_before(report):
            chosen = self._choose_bucket()
            if chosen in _MOVES:
                return _MOVES[chosen]
            report = check(self._path, [step])
        if _failed_stack(report):
            self._tell(report, every=False)
        move = self._deploy(step, report)
        self._path.forget_stack_set()  # skipped or deployed: AWS knows
        return move

    def _deploy(self, step: Step, report: Report) -> Move:
        """Opens one stack after the other, until all are there and right."""
        shown: Wanted | None = None
        while True:
            if _is_deployed(report, step):
                self._tell(report, every=True)
                return Move.ON
            wanted = self._next(step, report)
            page = opening(self._path, wanted, bucket=self._bucket)
            if shown != wanted:
                self._explain(page)
                shown = wanted
            choices = {"c": "check and confirm", "o": "open the page", "l": "show the page again"}
            if step != "api-access":
                choices["s"] = "skip for now"
            chosen = self._person.choose("", {**choices, "b": "back", "q": "quit"})
            if chosen in _MOVES:
                return _MOVES[chosen]
            if chosen == "o":
                self._person.open(page.url)
            elif chosen == "l":
                shown = None
            else:
                report = check(self._path, [step])
                if _at_work(report):
                    self._person.tell("  CloudFormation is at work; waiting for it ...")
                    report = check(self._path, [step], stack_seconds=_AT_WORK_SECONDS)
                if not _is_deployed(report, step):
                    self._tell(report, every=False)

    def _next(self, step: Step, report: Report) -> Wanted:
        """The first stack that is not there, or else the last."""
        statuses = {result.id: result.finding.status for result in report.results}
        stacks = self._path.wanted(step)
        unready = [w for w in stacks if statuses.get(result_id(w)) in (Status.PENDING, Status.FAIL)]
        return (unready or list(stacks))[0 if unready else -1]

    def _explain(self, page: Opening) -> None:
        wanted, tell = page.wanted, self._person.tell
        account_id = self._path.run.account.account_id
        if wanted.step == "stackset" and self._path.lacks_trusted_access:
            tell(f"  {TRUSTED_ACCESS}")
        tell(
            f"  Sign in to account {account_id} (its number is at the top right of the console),"
            f" region {wanted.region}, and open:"
        )
        self._person.show(page)
        if page.file is not None:
            tell(f"  Choose *Upload a template file*: {page.file}")
            tell(f"  Stack name: {wanted.name}")
            for name, value in page.typed.items():
                tell(f"  {name}: {value or '(blank)'}")
            if "ExternalId" in wanted.parameters:
                tell("  ExternalId: as Octo shows it")
        else:
            tell("  The stack's name may be changed.")
        if "ExternalId" in wanted.parameters:
            tell("  ExternalId and Principal must not be changed.")
        if wanted.template != "cur-bucket":
            tell(f"  Tick: {_TICK}.")
        tell("  Then *Create stack*.")
        cur = self._path.context().expected.cur
        if wanted.template == "cur" and cur and cur.s3_bucket_option == "USE_EXISTING":
            statements = json.dumps(json.loads(cur.bucket_policy_statements), indent=2)
            tell(f"  The policy of {cur.s3_bucket_name} must have these statements:\n{statements}")

    def _chosen_before(self, report: Report) -> bool:
        """Whether octo.yaml says where the report goes, or a stack of it is there."""
        registration = self._path.run.registration
        asked = registration.cur_s3_bucket_option or registration.cur_s3_bucket_name
        there = {r.finding.status for r in report.results if r.id.endswith("stack")}
        away = registration.cur_s3_bucket_region != DEFAULT_REGION
        return bool(asked or away or there - {Status.PENDING})

    def _choose_bucket(self) -> str:
        """Asks where the report goes; the letter that was chosen."""
        person = self._person
        new = f"a new bucket in {DEFAULT_REGION}"
        chosen = person.choose(
            "Where shall AWS deliver the report?",
            {
                "d": f"default: {new}",
                "n": "a new bucket in another region",
                "e": "a bucket that exists",
                "s": "skip for now",
                "b": "back",
                "q": "quit",
            },
        )
        if chosen in _MOVES:
            return chosen
        settings = {"cur_s3_bucket_option": "CREATE_NEW" if chosen != "e" else "USE_EXISTING"}
        while True:
            if chosen != "d":
                settings["cur_s3_bucket_region"] = person.answer("The bucket's region", "")
            if chosen == "e":
                settings["cur_s3_bucket_name"] = person.answer("The bucket's name", "")
            try:
                self._path.choose(**settings)
            except ValueError as error:
                person.tell(f"  That cannot be: {_first_line(error)}")
                continue
            self._save(settings)
            return chosen

    def _finish(self) -> Report | Move:
        self._person.tell(f"\nStep {len(self._path.steps) + 2}: confirm and finish")
        chosen = self._person.choose("", {"y": "confirm and finish", "b": "back", "q": "quit"})
        if chosen != "y":
            return _MOVES[chosen]
        return check(self._path, self._path.checked, finish=True)

    def _tell(self, report: Report, *, every: bool) -> None:
        for result in report.results:
            found = result.finding
            if every or found.status in (Status.FAIL, Status.PENDING):
                self._person.tell(f"  {_MARKS[found.status]} {result.id}: {found.summary}")
                if found.hint and found.status is not Status.PASS:
                    self._person.tell(f"    → {found.hint}")


def _is_deployed(report: Report, step: Step) -> bool:
    """Whether nothing of the step fails and its stacks are done; a delivery may be pending."""
    own = [r for r in report.results if r.area is AREAS[step]]
    stacks_wait = any(r.id.endswith("stack") and r.finding.status is Status.PENDING for r in own)
    return not stacks_wait and report.areas[AREAS[step]] in (Status.PASS, Status.PENDING)


def _at_work(report: Report) -> bool:
    return any(
        str(result.finding.evidence.get("status", "")).endswith("_IN_PROGRESS")
        for result in report.results
        if result.id.endswith("stack")
    )


def _failed_stack(report: Report) -> bool:
    return any(r.finding.status is Status.FAIL for r in report.results if r.id.endswith("stack"))


def _first_line(error: ValueError) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines[2:3]), lines[0]) if lines else ""
