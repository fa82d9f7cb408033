"""Every command that can change something, and every way of not agreeing to it.

Each row is a test (test_consent.py), and ``docs/reference/reliability.md`` is generated from it.
``make consent`` runs all of them, ``make test`` those that stand for the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Any

from orchestrator.sandbox import control
from tests.e2e.project import CTRL_C, CTRL_D

ROLE = "AlphausAcctAccessRole"
STACK = "octo-console"
LOCK_ID = "5d4f1f6c-0000-4000-8000-2b1c3d4e5f60"
BY_HAND = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


class Way(Enum):
    """A way of not agreeing; its value is the heading of its column."""

    NO = "No"
    ENTER = "Enter"
    END_OF_INPUT = "Ctrl-D"
    NO_TERMINAL = "no terminal"
    CTRL_C = "Ctrl-C"
    GUARD = "guard refuses"
    PREFLIGHT = "preflight refuses"
    CLASH = "clash"


Arrange = Callable[[Any], None]  # is given the sandbox


@dataclass(frozen=True)
class Attempt:
    """A command that the user does not agree to, or that is refused.

    Attributes:
        command: as the table names it.
        way: how it is not agreed to.
        start: the state that it starts from; see the checkpoints of test_consent.py.
        arguments: what follows ``octo-tf``.
        code: its exit code.
        answers: the questions on the terminal, with their answers; none without a terminal.
        sees: words that the user sees.
        arrange: changes the sandbox before.
        verifies: whether the ledger may note what the command verified before it asked.
    """

    command: str
    way: Way
    start: str
    arguments: tuple[str, ...]
    code: int
    answers: tuple[tuple[str, str], ...] = ()
    sees: str = ""
    arrange: Arrange | None = None
    verifies: bool = False

    @property
    def id(self) -> str:
        made = f" with {self.arrange.__name__}" if self.arrange else ""
        return f"{self.command}: {self.way.value}{made}".replace(" ", "_")


@dataclass(frozen=True)
class Look:
    """A command that only looks: it is simply run.

    Attributes:
        start: the state that it starts from.
        arguments: what follows ``octo-tf``.
        code: its exit code.
        verifies: whether the ledger may note what it verified.
    """

    start: str
    arguments: tuple[str, ...]
    code: int = 0
    verifies: bool = False

    @property
    def id(self) -> str:
        return f"{' '.join(self.arguments)} ({self.start})".replace(" ", "_")


def declined(
    command: str,
    start: str,
    question: str,
    *arguments: str,
    no: str = "n",
    enter: tuple[str, ...] = ("",),
    code: int = 1,
    words: tuple[str, ...] = (),
    first: tuple[tuple[str, str], ...] = (),
    verifies: bool = False,
    arrange: Arrange | None = None,
) -> Iterator[Attempt]:
    """The five ways of not agreeing to a question.

    Args:
        command: as the table names it, which is also how it begins.
        start: the state that it starts from.
        question: its question.
        arguments: further arguments.
        no: the line that says no.
        enter: what is answered from Enter on: a question without a default is asked again.
        code: the exit code after no.
        words: how it begins, where that is not its name in the table.
        first: questions that come before, with their answers.
        verifies: whether it verifies before it asks.
        arrange: changes the sandbox before.
    """
    given = (*(words or command.split()), *arguments)

    def attempt(way: Way, ends: int, *answers: str) -> Attempt:
        asked = (*first, *((question, answer) for answer in answers))
        return Attempt(
            *(command, way, start, given, ends, asked), verifies=verifies, arrange=arrange
        )

    yield attempt(Way.NO, code, no)
    yield attempt(Way.ENTER, code, *enter)
    yield attempt(Way.END_OF_INPUT, 130, CTRL_D)
    yield Attempt(command, Way.NO_TERMINAL, start, given, 64, sees="nobody is here to")
    yield attempt(Way.CTRL_C, 130, CTRL_C)


def role_in_linked_2(sandbox: Any) -> None:
    """A role of the name that the StackSet would create in a linked account."""
    iam = sandbox.client("linked-2", "iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(BY_HAND))


def role_of_a_stack(sandbox: Any) -> None:
    """The standalone account's role belongs to a CloudFormation stack."""
    iam, client = (sandbox.client("standalone", name) for name in ("iam", "cloudformation"))
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    iam.delete_role_policy(RoleName=ROLE, PolicyName="Everything")
    iam.delete_role(RoleName=ROLE)
    role = {"RoleName": ROLE, "AssumeRolePolicyDocument": trust}
    template = {"Resources": {"Octo": {"Type": "AWS::IAM::Role", "Properties": role}}}
    client.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def plan_saved(*flags: str) -> Arrange:
    """A plan that was made and saved earlier, with those flags."""

    def saved_plan(sandbox: Any) -> None:
        (project,) = sandbox.projects.values()
        made = project("plan", "--out", SAVED, *flags)
        assert made.returncode == 0, made.stderr

    return saved_plan


def plan_saved_before_the_clash(sandbox: Any) -> None:
    plan_saved("--use-stackset", ENABLE)(sandbox)
    role_in_linked_2(sandbox)


def for_the_console_path(sandbox: Any) -> None:
    """octo.yaml leaves the bucket's policy alone, and has the external id."""
    (project,) = sandbox.projects.values()
    path = project.folder / "octo.yaml"
    text = path.read_text().replace("cur_s3_bucket_merge_policy: true\n", "")
    known = sandbox.octo_api().template().external_id.get_secret_value()
    path.write_text(f"{text}external_id: {known}\n")


def operation_under_way(sandbox: Any) -> None:
    """A StackSet operation reaches a linked account that Octo does not know."""
    api = sandbox.octo_api()
    api.unregister(sandbox.account("linked-1"))
    control.pace(sandbox.endpoint, 1.5)
    failing = {"error": "AccessDenied", "account": sandbox.account("linked-2")}
    sandbox.fault(service="cloudformation", action="CreateStack", **failing)
    update_stack_set(sandbox)


def slow_operation(sandbox: Any) -> None:
    """A StackSet operation that takes longer than the test."""
    control.pace(sandbox.endpoint, 60)
    update_stack_set(sandbox)


def update_stack_set(sandbox: Any) -> None:
    client = sandbox.client("payer", "cloudformation")
    names = [found["StackSetName"] for found in client.list_stack_sets()["Summaries"]]
    client.update_stack_set(
        StackSetName=names[0],
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        OperationPreferences={"MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100},
    )


NEW, REGISTERED, UPGRADED = "new", "registered", "upgraded"
BY_A_PERSON, LOCKED, LINKED, ALONE = "made by hand", "locked", "linked", "alone"

PUBLISHED = "published module"
SAVED = "saved.tfplan"
APPLY = "Apply this to account"
ENABLE = "--enable-trusted-access"
ELSEWHERE = ("--aws-profile", "linked-1")  # another account's credentials
STACKSET = ("apply", "--yes", "--use-stackset")
SAVED_PLAN = ("apply", "--plan", SAVED)
ADOPT_PATH = (
    *("adopt", "{published}", "--account-id", "{standalone}", "--purge-policies"),
    *("--feature", "cost"),  # else the features to keep are asked for first
)
WIZARD = {"no": "q", "enter": ("", "q"), "code": 4}
UNREGISTER = {"no": "222222222222", "enter": ("", "222222222222")}  # not the payer's id
DESTROY = ("destroy", "--yes", "--confirm-account")
ADOPT = ("adopt", "--account-id", "{standalone}")
CONFIRM = "confirm --register"

ATTEMPTS: tuple[Attempt, ...] = (
    *declined("apply", NEW, APPLY),
    Attempt("apply", Way.GUARD, REGISTERED, ("apply", "--yes", "--cur-report-name", "renamed"), 5),
    Attempt("apply", Way.PREFLIGHT, REGISTERED, STACKSET, 5, sees=ENABLE),
    Attempt(
        *("apply", Way.CLASH, REGISTERED, (*STACKSET, ENABLE), 5),
        sees="stackset_excluded_accounts",
        arrange=role_in_linked_2,
    ),
    Attempt(
        *("apply --plan FILE", Way.GUARD, REGISTERED, (*SAVED_PLAN, "--tag", "a=c"), 5),
        sees="made from something else",
        arrange=plan_saved("--tag", "a=b"),
    ),
    Attempt(
        *("apply --plan FILE", Way.GUARD, REGISTERED, (*SAVED_PLAN, *ELSEWHERE), 5),
        arrange=plan_saved(),
    ),
    Attempt(
        *("apply --plan FILE", Way.PREFLIGHT, REGISTERED, (*SAVED_PLAN, "--use-stackset"), 5),
        sees=ENABLE,
        arrange=plan_saved("--use-stackset", ENABLE),
    ),
    Attempt(
        *("apply --plan FILE", Way.CLASH, REGISTERED),
        (*SAVED_PLAN, "--use-stackset", ENABLE),
        5,
        sees="stackset_excluded_accounts",
        arrange=plan_saved_before_the_clash,
    ),
    *declined("upgrade", REGISTERED, APPLY, ENABLE),
    Attempt("upgrade", Way.GUARD, REGISTERED, ("upgrade", "--yes", ENABLE, *ELSEWHERE), 5),
    Attempt("upgrade", Way.PREFLIGHT, REGISTERED, ("upgrade", "--yes"), 5, sees=ENABLE),
    Attempt(
        *("upgrade", Way.CLASH, REGISTERED, ("upgrade", "--yes", ENABLE), 5),
        sees="stackset_excluded_accounts",
        arrange=role_in_linked_2,
    ),
    Attempt(  # on a terminal it offers to exclude the account
        *("upgrade", Way.CLASH, REGISTERED, ("upgrade", ENABLE), 5, (("Exclude this", "n"),)),
        sees="stackset_excluded_accounts",
        arrange=role_in_linked_2,
    ),
    *declined("adopt", BY_A_PERSON, APPLY, *ADOPT[1:], "--purge-policies"),
    Attempt("adopt", Way.GUARD, BY_A_PERSON, (*ADOPT, "--yes"), 5, sees="Everything"),
    Attempt(
        *("adopt", Way.CLASH, BY_A_PERSON, (*ADOPT, "--yes"), 5),
        sees=f"--release-stack {STACK}",
        arrange=role_of_a_stack,
    ),
    Attempt(
        "adopt", Way.PREFLIGHT, REGISTERED, ("adopt", "--yes", "--use-stackset"), 5, sees=ENABLE
    ),
    *declined("adopt PATH", PUBLISHED, APPLY, words=ADOPT_PATH),
    Attempt("adopt PATH", Way.GUARD, PUBLISHED, (*ADOPT_PATH, "--yes", *ELSEWHERE), 5),
    *declined("console", ALONE, "Do this?", **WIZARD),
    # The wizard's later questions, of an account that is complete: one for each step, and the end.
    *declined(
        "console: linked accounts",
        REGISTERED,
        "(optional)",
        words=("console", "--no-octo"),  # Octo would confirm again what passes
        verifies=True,
        arrange=for_the_console_path,
        **WIZARD,
    ),
    *declined(
        *("console: confirm and finish", REGISTERED, "What now?"),
        words=("console", "--no-octo"),  # Octo would confirm again what passes
        first=(("(optional)", "s"),),
        verifies=True,
        arrange=for_the_console_path,
        **WIZARD,
    ),
    Attempt("console", Way.GUARD, ALONE, ("console", *ELSEWHERE), 5, (("", ""),)),
    Attempt("console", Way.PREFLIGHT, LINKED, ("console",), 1, (("", ""),)),
    *declined("console finish", ALONE, "with Octo?"),
    Attempt("console finish", Way.GUARD, ALONE, ("console", "finish", "--yes", *ELSEWHERE), 5),
    Attempt("console finish", Way.PREFLIGHT, LINKED, ("console", "finish", "--yes"), 1),
    Attempt(CONFIRM, Way.PREFLIGHT, NEW, ("confirm", "--register"), 1),
    *declined("unregister", REGISTERED, "Type the account id to confirm", **UNREGISTER),
    *declined("rotate-external-id", REGISTERED, APPLY, "a-new-external-id"),
    Attempt(
        *("rotate-external-id", Way.GUARD, REGISTERED),
        ("rotate-external-id", "a-new-external-id", "--yes", *ELSEWHERE),
        5,
    ),
    Attempt(
        *("rotate-external-id", Way.PREFLIGHT, UPGRADED),
        ("rotate-external-id", "a-new-external-id", "--yes"),
        5,
        sees="of the StackSet is running",
        arrange=slow_operation,
    ),
    *declined("destroy", UPGRADED, "Type the account id to confirm", **UNREGISTER),
    Attempt("destroy", Way.GUARD, UPGRADED, (*DESTROY, "{payer}", *ELSEWHERE), 5),
    Attempt(
        *("destroy", Way.PREFLIGHT, REGISTERED),
        (*DESTROY, "{payer}", "--delete-bucket"),
        5,
        sees="did not make the bucket",
    ),
    *declined("unlock", LOCKED, "may be removed?", LOCK_ID),
    Attempt(
        *("unlock", Way.GUARD, LOCKED),
        ("unlock", LOCK_ID, "--yes", "--aws-profile", "linked-2"),
        5,
    ),
    *declined("stackset retry", UPGRADED, "Do this?"),
    Attempt(
        *("stackset retry", Way.NO, UPGRADED, ("stackset", "retry"), 1, (("Do this?", "n"),)),
        arrange=operation_under_way,
    ),
    Attempt("stackset retry", Way.GUARD, UPGRADED, ("stackset", "retry", "--yes", *ELSEWHERE), 5),
)

LOOKS: tuple[Look, ...] = (
    Look(NEW, ("plan",)),
    Look(REGISTERED, ("plan", "--use-stackset", ENABLE)),
    Look(REGISTERED, ("plan", "--cur-report-name", "renamed"), 5),
    Look(UPGRADED, ("plan",)),
    Look(REGISTERED, ("status",)),
    Look(NEW, ("status",)),
    Look(NEW, ("doctor",)),
    Look(REGISTERED, ("accounts",)),
    Look(NEW, ("accounts",)),
    Look(NEW, ("discover",)),
    Look(REGISTERED, ("verify", "--no-octo", "--external-id", "{external_id}"), verifies=True),
    Look(NEW, ("verify",), 1),
    Look(UPGRADED, ("stackset", "status"), 3),
    Look(UPGRADED, ("preflight",)),
    Look(REGISTERED, ("permissions", "diff", ROLE, "octo.yaml")),
    Look(REGISTERED, ("policy", "--account-type", "payer")),
    Look(BY_A_PERSON, (*ADOPT, "--plan-only")),
    Look(UPGRADED, ("destroy", "--plan-only")),
    Look(ALONE, ("console", "check"), 4, verifies=True),
    Look(ALONE, ("console", "link", "api-access")),
)


def representatives() -> Iterator[Attempt | Look]:
    """The rows that stand for the others.

    Of every command: its first row, and what the guard refuses. Of every way, and of what only
    looks: the first.
    """
    for _, found in groupby(ATTEMPTS, lambda attempt: attempt.command):
        first, *others = found
        yield first
        yield from (attempt for attempt in others if attempt.way is Way.GUARD)
    yield from {attempt.way: attempt for attempt in reversed(ATTEMPTS)}.values()
    yield from {look.arguments[0]: look for look in reversed(LOOKS)}.values()


def table() -> str:
    """The table for docs/reference/reliability.md: what changes, by command and way."""
    tried = {(attempt.command, attempt.way) for attempt in ATTEMPTS}
    rows = [
        f"| command | {' | '.join(way.value for way in Way)} |",
        "|---|" + "---|" * len(Way),
    ]
    for command in dict.fromkeys(attempt.command for attempt in ATTEMPTS):
        cells = ("none" if (command, way) in tried else "-" for way in Way)
        rows.append(f"| `{command}` | {' | '.join(cells)} |")
    rows += ["", "| command that asks nothing | when it is simply run |", "|---|---|"]
    names = dict.fromkeys(_name(look) for look in LOOKS)
    return "\n".join([*rows, *(f"| {name} | none |" for name in names)])


def _name(look: Look) -> str:
    words = [word for word in look.arguments if not word.startswith("{")]
    return f"`{' '.join(words)}`"
