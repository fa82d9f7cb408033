"""Guide the user through a registration by stacks, who may go back, quit, and continue later.

The wizard keeps no state: what is done is read from AWS, Octo and the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping

from orchestrator.app.console.check import check, result_id
from orchestrator.app.console.feature_choice import choose_features
from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.app.console.launch_link import LaunchLink, launch_link
from orchestrator.app.console.prompter import MOVES, Prompter, Transition
from orchestrator.app.console.report_bucket import Save, choose_bucket, has_bucket
from orchestrator.app.steps import PAYER_FIRST
from orchestrator.errors import AwsError, ConfigError, Refused
from orchestrator.model.outside_action import REGISTER, OutsideAction, question_of
from orchestrator.stacks.steps import AREAS, LABELS, TRUSTED_ACCESS, ExpectedStack, Step
from orchestrator.verify.model import Report, Status

_STACK_SECONDS = 600.0  # how long a stack in progress is waited for
_MARKS = {
    Status.PASS: "✓",
    Status.FAIL: "✗",
    Status.PENDING: "…",
    Status.WARN: "!",
    Status.SKIPPED: "-",
}
NOT_ENROLLED = (
    "Nothing was enrolled. octo-tf console finish asks again, unless octo.yaml has enrolment: none."
)
_TICK = "I acknowledge that AWS CloudFormation might create IAM resources with custom names"


class Wizard:
    """A registration step by step.

    Args:
        bucket: a bucket of the account for templates; None if the user named none.
        save: writes settings that the user chose to octo.yaml; None removes one.
        announced: what ``configure`` writes to octo.yaml, for the user's consent.
        configure: writes it.
    """

    def __init__(
        self,
        flow: ConsoleFlow,
        prompter: Prompter,
        *,
        bucket: str | None = None,
        save: Save = lambda _settings: None,
        announced: tuple[OutsideAction, ...] = (),
        configure: Callable[[], None] = lambda: None,
    ) -> None:
        self._flow = flow
        self._prompter = prompter
        self._bucket = bucket
        self._save = save
        self._announced = announced
        self._configure = configure

    def run(self) -> Report | None:
        """Go from basic details to *Confirm and Finish*; return None if the user quits before.

        Raises:
            OctoRefused: Octo refuses the account, or has not registered its payer.
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
        name = self._flow.account_name
        tell(f"Step 1 of {len(self._flow.steps) + 2}: basic details")
        tell(
            f"  Account {account.account_id}{f' ({name})' if name else ''} is a"
            f" {account.account_type} account."
        )
        api = self._flow.context.octo.api
        if api is not None and not self._flow.is_registered(account.account_id):
            self._flow.context.octo.check_new(account, name)
        if self._flow.payer_is_registered() is None:
            tell(f"  {PAYER_FIRST.format(payer=self._flow.payer)}")
            chosen = self._prompter.choose(
                "Is the payer registered elsewhere?", {"y": "yes, go on", "q": "no, quit"}
            )
            if chosen == "q":
                return Transition.QUIT
        return self._consent()

    def _consent(self) -> Transition:
        """Write octo.yaml and register the account with Octo, once the user agrees to both."""
        api, account_id = self._flow.context.octo.api, self._flow.account.account_id
        actions = list(self._announced)
        if api is None:
            self._prompter.tell("  In Octo, choose *Register Account* for it first.")
        elif self._flow.is_registered(account_id):
            self._prompter.tell("  It is registered with Octo.")
        else:
            summary = f"Register account {account_id} with Octo."
            actions.append(OutsideAction(REGISTER, account_id, summary))
        if not actions:
            return Transition.ON
        if self._ask(actions, {"y": "yes", "q": "no, quit"}) == "q":
            return Transition.QUIT
        if self._announced:
            self._configure()
        if actions[-1].code == REGISTER:
            self._flow.register()
        return Transition.ON

    def _step(self, step: Step, *, came_back: bool) -> Transition:
        if step == "stackset" and not self._flow.has_stackset():
            chosen = self._prompter.choose(
                "Deploy API access to every linked account? (optional)",
                {"y": "yes", "s": "skip", "b": "back", "q": "quit"},
            )
            if chosen != "y":
                return MOVES[chosen]
            self._flow.wants_stackset = True
        report = check(self._flow, [step])
        if _is_deployed(report, step):
            self._prompter.tell("  Done already.")
            self._tell(report, every=False)
            if not came_back:
                return Transition.ON
            chosen = self._prompter.choose("", {"s": "go on", "b": "back", "q": "quit"})
            return MOVES[chosen]
        if step == "cur" and not has_bucket(self._flow, report):
            chosen = choose_bucket(self._flow, self._prompter, self._save)
            if chosen in MOVES:
                return MOVES[chosen]
            report = check(self._flow, [step])
        if _has_failed_stack(report):
            self._tell(report, every=False)
        move = self._deploy(step, report)
        self._flow.wants_stackset = None  # from here on, AWS shows whether there is one
        return move

    def _deploy(self, step: Step, report: Report) -> Transition:
        """Show the page of one stack after the other, until all of the step are deployed."""
        shown: ExpectedStack | None = None
        while not _is_deployed(report, step):
            stack = self._next(step, report)
            page = launch_link(self._flow, stack, bucket=self._bucket)
            if shown != stack:
                self._explain(page)
                shown = stack
            chosen = self._prompter.choose("", self._choices(step, page))
            if chosen in MOVES:
                return MOVES[chosen]
            if chosen == "o":
                self._prompter.open(page.url)
            elif chosen == "l":
                shown = None
            elif chosen == "e":
                self._prompter.show_secret(self._flow.external_id.get_secret_value())
            elif chosen == "t":
                shown = None if self._choose_template_bucket(stack) else shown
            elif chosen == "r":
                if (answer := choose_bucket(self._flow, self._prompter, self._save)) == "q":
                    return Transition.QUIT
                if answer not in MOVES:
                    report, shown = check(self._flow, [step]), None
            elif chosen == "f":
                choose_features(self._flow, self._prompter, self._save)
                report, shown = check(self._flow, [step]), None
            else:
                report = self._check(step)
        self._tell(report, every=True)
        return Transition.ON

    def _choices(self, step: Step, page: LaunchLink) -> dict[str, str]:
        choices = {"c": "check and confirm", "o": "open the page", "l": "show the page again"}
        if "ExternalId" in page.stack.parameters:
            choices["e"] = "show the external id"
        if page.file is not None:
            choices["t"] = "put the template into a bucket of this account, to spare the upload"
        if step == "cur":
            choices["r"] = "choose the bucket of the report again"
        if step == "api-access":
            choices["f"] = "choose what Octo can do (features)"
        if step != "api-access":
            choices["s"] = "skip for now"
        return {**choices, "b": "back", "q": "quit"}

    def _check(self, step: Step) -> Report:
        """Verify a step; a stack in progress is waited for."""
        report = check(self._flow, [step])
        if _is_in_progress(report):
            self._prompter.tell("  CloudFormation is at work; waiting for it ...")
            report = check(self._flow, [step], stack_seconds=_STACK_SECONDS)
        if not _is_deployed(report, step):
            self._tell(report, every=False)
        return report

    def _choose_template_bucket(self, stack: ExpectedStack) -> bool:
        """Ask for the bucket of the templates, and try it; tell whether it can be used."""
        bucket = self._prompter.answer("A bucket of this account for the template", "")
        try:
            launch_link(self._flow, stack, bucket=bucket)
        except (AwsError, ConfigError, Refused) as error:
            self._prompter.tell(f"  The bucket {bucket}: {error.what}.")
            return False
        self._bucket = bucket
        return True

    def _next(self, step: Step, report: Report) -> ExpectedStack:
        """Return the first stack that is not deployed, or else the last."""
        statuses = {result.id: result.finding.status for result in report.results}
        stacks, unready_statuses = self._flow.stacks(step), (Status.PENDING, Status.FAIL)
        unready = [stack for stack in stacks if statuses.get(result_id(stack)) in unready_statuses]
        return (unready or list(stacks))[0 if unready else -1]

    def _explain(self, page: LaunchLink) -> None:
        stack, tell = page.stack, self._prompter.tell
        account_id = self._flow.account.account_id
        if stack.step == "stackset" and self._flow.context.cloud.lacks_trusted_access():
            tell(f"  {TRUSTED_ACCESS}")
        tell(
            f"  Sign in to account {account_id} (its number is at the top right of the console),"
            f" region {stack.region}, and open:"
        )
        self._prompter.show(page)
        if stack.step == "api-access":
            tell(f"  It grants what these features need: {', '.join(self._flow.inputs.features)}.")
        if page.file is not None:
            tell(f"  Choose *Upload a template file*: {page.file}")
            tell(f"  Stack name: {stack.name}")
            for name, value in page.typed.items():
                tell(f"  {name}: {value or '(blank)'}")
            if "ExternalId" in stack.parameters:
                tell("  ExternalId: as Octo shows it; e shows it here")
        else:
            tell("  The stack's name may be changed.")
        if "ExternalId" in stack.parameters:
            tell("  ExternalId and Principal must not be changed.")
        if stack.template != "cur-bucket":
            tell(f"  Tick: {_TICK}.")
        tell("  Then *Create stack*.")
        cur = self._flow.checks_context().desired.outputs.cur
        is_elses = cur and (cur.s3_bucket_option, cur.report_option) == (
            "USE_EXISTING",
            "CREATE_NEW",
        )
        if stack.template == "cur" and cur and is_elses:
            statements = json.dumps(json.loads(cur.bucket_policy_statements), indent=2)
            tell(f"  The policy of {cur.s3_bucket_name} must have these statements:\n{statements}")

    def _finish(self) -> Report | Transition:
        self._prompter.tell(f"\nStep {len(self._flow.steps) + 2}: confirm and finish")
        chosen = self._prompter.choose("", {"y": "confirm and finish", "b": "back", "q": "quit"})
        if chosen != "y":
            return MOVES[chosen]
        self._enrol()
        return check(self._flow, self._flow.checked_steps(), finish=True)

    def _enrol(self) -> None:
        """Enrol the account in the AWS services of its features, if the user agrees."""
        actions = self._flow.enrolments()
        if actions and self._ask(actions, {"y": "yes", "n": "no"}) == "y":
            self._flow.enrol(actions)
        elif actions:
            self._prompter.tell(f"  {NOT_ENROLLED}")

    def _ask(self, actions: Collection[OutsideAction], choices: Mapping[str, str]) -> str:
        """Show what would be done, and ask whether to do it; return the letter of the answer."""
        for action in actions:
            self._prompter.tell(f"  > {action.summary}")
        return self._prompter.choose(question_of(actions), choices)

    def _tell(self, report: Report, *, every: bool) -> None:
        for result in report.results:
            found = result.finding
            if every or found.status in (Status.FAIL, Status.WARN, Status.PENDING):
                self._prompter.tell(f"  {_MARKS[found.status]} {result.id}: {found.summary}")
                if found.hint and found.status is not Status.PASS:
                    self._prompter.tell(f"    → {found.hint}")


def _is_deployed(report: Report, step: Step) -> bool:
    """Tell whether the stacks of a step are complete and right; a delivery may be pending."""
    own = [r for r in report.results if r.area == AREAS[step]]
    is_pending = any(r.id.endswith("stack") and r.finding.status is Status.PENDING for r in own)
    return not is_pending and report.areas[AREAS[step]] in (Status.PASS, Status.PENDING)


def _is_in_progress(report: Report) -> bool:
    return any(
        str(result.finding.evidence.get("status", "")).endswith("_IN_PROGRESS")
        for result in report.results
        if result.id.endswith("stack")
    )


def _has_failed_stack(report: Report) -> bool:
    return any(r.finding.status is Status.FAIL for r in report.results if r.id.endswith("stack"))
