"""The console path step by step with a person, who may go back, leave, and come again later.

Nothing is remembered here: what is done already is what AWS has and Octo's side knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Protocol

from orchestrator.app.console.check import check, result_id
from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.app.console.launch_link import LaunchLink, launch_link
from orchestrator.stacks.inputs import DEFAULT_REGION
from orchestrator.stacks.steps import AREAS, LABELS, TRUSTED_ACCESS, Step, Wanted
from orchestrator.verify.model import Report, Status

_AT_WORK_SECONDS = 600.0  # a stack that CloudFormation works on is waited for this long
_MARKS = {Status.PASS: "✓", Status.FAIL: "✗", Status.PENDING: "…", Status.SKIPPED: "-"}
_TICK = "I acknowledge that AWS CloudFormation might create IAM resources with custom names"


class Prompter(Protocol):
    """Who walks: a person at a terminal, or a test."""

    def tell(self, text: str) -> None:
        """Says something."""

    def show(self, link: LaunchLink) -> None:
        """Shows the page to open."""

    def open(self, url: str) -> None:
        """Opens a page in the browser."""

    def choose(self, question: str, choices: Mapping[str, str]) -> str:
        """Asks for one of the choices, given as letter and meaning; its letter."""

    def answer(self, question: str, default: str) -> str:
        """Asks for a text."""


class Transition(Enum):
    """Where a person goes from a step."""

    ON = "on"
    BACK = "back"
    QUIT = "quit"


_MOVES = {"b": Transition.BACK, "q": Transition.QUIT, "s": Transition.ON}


class Wizard:
    """One walk.

    Args:
        flow: the account.
        prompter: asks the user.
        bucket: the account's own bucket for templates, if there is one.
        save: keeps what was chosen underway, for later runs.
    """

    def __init__(
        self,
        flow: ConsoleFlow,
        prompter: Prompter,
        *,
        bucket: str | None = None,
        save: Callable[[Mapping[str, str]], None] = lambda _settings: None,
    ) -> None:
        self._flow = flow
        self._prompter = prompter
        self._bucket = bucket
        self._save = save

    def run(self) -> Report | None:
        """From basic details to *Confirm and Finish*; None if the person left before.

        Raises:
            WrongAccount: the credentials are another account's; nothing was asked.
            AwsError: AWS cannot be asked.
        """
        if self._basic_details() is Transition.QUIT:
            return None
        at, back = 0, False
        places = self._flow.steps
        while at <= len(places):
            if at == len(places):
                report = self._finish()
                if isinstance(report, Report):
                    return report
                move = report
            else:
                self._prompter.tell(f"\nStep {at + 2} of {len(places) + 2}: {LABELS[places[at]]}")
                move = self._step(places[at], came_back=back)
            if move is Transition.QUIT:
                return None
            back = move is Transition.BACK
            at = max(0, at - 1) if back else at + 1
        return None

    def _basic_details(self) -> Transition:
        account, tell = self._flow.account, self._prompter.tell
        name = self._flow.registration.account_name
        tell(f"Step 1 of {len(self._flow.steps) + 2}: basic details")
        tell(
            f"  Account {account.account_id}{f' ({name})' if name else ''} is a"
            f" {account.account_type} account."
        )
        if not self._flow.payer_is_known():
            tell(
                f"  Whether its payer, {self._flow.payer}, is registered is not known here. Octo"
                " wants the payer first: a linked account that comes before it shows no data."
            )
            chosen = self._prompter.choose(
                "Is the payer registered elsewhere?", {"y": "yes, go on", "q": "no, quit"}
            )
            if chosen == "q":
                return Transition.QUIT
        return self._register()

    def _register(self) -> Transition:
        """Register the account with Octo once the user agrees; without credentials, say how."""
        api, account_id = self._flow.context.octo.api, self._flow.account.account_id
        if api is None:
            self._prompter.tell("  In Octo, choose *Register Account* for it first.")
            return Transition.ON
        if self._flow.is_registered(account_id):
            self._prompter.tell("  It is registered with Octo.")
            return Transition.ON
        chosen = self._prompter.choose(
            f"Register account {account_id} with Octo?", {"y": "yes", "q": "no, quit"}
        )
        if chosen == "q":
            return Transition.QUIT
        self._flow.register()
        return Transition.ON

    def _step(self, step: Step, *, came_back: bool) -> Transition:
        if step == "stackset" and not self._flow.has_stackset():
            chosen = self._prompter.choose(
                "Deploy API access to every linked account? (optional)",
                {"y": "yes", "s": "skip", "b": "back", "q": "quit"},
            )
            if chosen != "y":
                return _MOVES[chosen]
            self._flow.wants_stackset = True
        report = check(self._flow, [step])
        if _is_deployed(report, step):
            self._prompter.tell("  Done already.")
            self._tell(report, every=False)
            if not came_back:
                return Transition.ON
            chosen = self._prompter.choose("", {"s": "go on", "b": "back", "q": "quit"})
            return _MOVES[chosen]
        if step == "cur" and not self._chosen_before(report):
            chosen = self._choose_bucket()
            if chosen in _MOVES:
                return _MOVES[chosen]
            report = check(self._flow, [step])
        if _failed_stack(report):
            self._tell(report, every=False)
        move = self._deploy(step, report)
        self._flow.wants_stackset = None  # skipped or deployed: AWS knows
        return move

    def _deploy(self, step: Step, report: Report) -> Transition:
        """Opens one stack after the other, until all are there and right."""
        shown: Wanted | None = None
        while True:
            if _is_deployed(report, step):
                self._tell(report, every=True)
                return Transition.ON
            wanted = self._next(step, report)
            page = launch_link(self._flow, wanted, bucket=self._bucket)
            if shown != wanted:
                self._explain(page)
                shown = wanted
            choices = {"c": "check and confirm", "o": "open the page", "l": "show the page again"}
            if step != "api-access":
                choices["s"] = "skip for now"
            chosen = self._prompter.choose("", {**choices, "b": "back", "q": "quit"})
            if chosen in _MOVES:
                return _MOVES[chosen]
            if chosen == "o":
                self._prompter.open(page.url)
            elif chosen == "l":
                shown = None
            else:
                report = check(self._flow, [step])
                if _at_work(report):
                    self._prompter.tell("  CloudFormation is at work; waiting for it ...")
                    report = check(self._flow, [step], stack_seconds=_AT_WORK_SECONDS)
                if not _is_deployed(report, step):
                    self._tell(report, every=False)

    def _next(self, step: Step, report: Report) -> Wanted:
        """The first stack that is not there, or else the last."""
        statuses = {result.id: result.finding.status for result in report.results}
        stacks = self._flow.wanted(step)
        unready = [w for w in stacks if statuses.get(result_id(w)) in (Status.PENDING, Status.FAIL)]
        return (unready or list(stacks))[0 if unready else -1]

    def _explain(self, page: LaunchLink) -> None:
        wanted, tell = page.wanted, self._prompter.tell
        account_id = self._flow.account.account_id
        if wanted.step == "stackset" and self._flow.lacks_trusted_access():
            tell(f"  {TRUSTED_ACCESS}")
        tell(
            f"  Sign in to account {account_id} (its number is at the top right of the console),"
            f" region {wanted.region}, and open:"
        )
        self._prompter.show(page)
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
        cur = self._flow.checks_context().expected.cur
        if wanted.template == "cur" and cur and cur.s3_bucket_option == "USE_EXISTING":
            statements = json.dumps(json.loads(cur.bucket_policy_statements), indent=2)
            tell(f"  The policy of {cur.s3_bucket_name} must have these statements:\n{statements}")

    def _chosen_before(self, report: Report) -> bool:
        """Whether octo.yaml says where the report goes, or a stack of it is there."""
        registration = self._flow.registration
        asked = registration.cur_s3_bucket_option or registration.cur_s3_bucket_name
        there = {r.finding.status for r in report.results if r.id.endswith("stack")}
        away = registration.cur_s3_bucket_region != DEFAULT_REGION
        return bool(asked or away or there - {Status.PENDING})

    def _choose_bucket(self) -> str:
        """Asks where the report goes; the letter that was chosen."""
        prompter = self._prompter
        new = f"a new bucket in {DEFAULT_REGION}"
        chosen = prompter.choose(
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
                settings["cur_s3_bucket_region"] = prompter.answer("The bucket's region", "")
            if chosen == "e":
                settings["cur_s3_bucket_name"] = prompter.answer("The bucket's name", "")
            try:
                self._flow.choose(**settings)
            except ValueError as error:
                prompter.tell(f"  That cannot be: {_first_line(error)}")
                continue
            self._save(settings)
            return chosen

    def _finish(self) -> Report | Transition:
        self._prompter.tell(f"\nStep {len(self._flow.steps) + 2}: confirm and finish")
        chosen = self._prompter.choose("", {"y": "confirm and finish", "b": "back", "q": "quit"})
        if chosen != "y":
            return _MOVES[chosen]
        return check(self._flow, self._flow.checked_steps(), finish=True)

    def _tell(self, report: Report, *, every: bool) -> None:
        for result in report.results:
            found = result.finding
            if every or found.status in (Status.FAIL, Status.PENDING):
                self._prompter.tell(f"  {_MARKS[found.status]} {result.id}: {found.summary}")
                if found.hint and found.status is not Status.PASS:
                    self._prompter.tell(f"    → {found.hint}")


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
