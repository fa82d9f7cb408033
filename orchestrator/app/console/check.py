"""Check and confirm: first the stacks, then the same checks as after Terraform's apply."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from orchestrator.app.confirm import confirm
from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.aws.errors import is_transient
from orchestrator.errors import AwsError
from orchestrator.stacks.observed import ROLLBACK_FAILED, ObservedStack
from orchestrator.stacks.steps import AREAS, TRUSTED_ACCESS, ExpectedStack, Step
from orchestrator.verify.model import (
    Area,
    CheckResult,
    Finding,
    Report,
    Status,
    failed,
    passed,
    pending,
    skipped,
)
from orchestrator.verify.remedy import for_stacks
from orchestrator.verify.runner import SETTLE_SECONDS, build_report
from orchestrator.verify.runner import verify as run_checks

_PAUSE_SECONDS = 2.0


def check(
    flow: ConsoleFlow,
    steps: Sequence[Step],
    *,
    wait_seconds: float = 0.0,
    stack_seconds: float = 0.0,
    finish: bool = False,
    sleep: Callable[[float], None] | None = None,
) -> Report:
    """Verify some steps, and have Octo confirm what passes.

    Args:
        wait_seconds: how long to wait for stacks that are absent or in progress, and for what is
            pending afterwards.
        stack_seconds: how long to wait for the stacks alone.
        finish: whether this is *Confirm and Finish*.
        sleep: waits, in seconds, between two reads of the stacks; None ends on cancellation.
    """
    started = time.monotonic()
    sleep = sleep or flow.context.cancellation.sleep
    warned: set[str] = set()
    limit, settle = max(wait_seconds, stack_seconds), min(wait_seconds, SETTLE_SECONDS)
    with flow.context.events.step("stacks", "Reading the stacks"):
        found = _stacks(flow, steps)
        while time.monotonic() - started < limit and any(map(_is_pending, found)):
            sleep(_PAUSE_SECONDS)
            settle = SETTLE_SECONDS
            try:
                found = _stacks(flow, steps)
            except AwsError as error:  # what was seen last holds until AWS answers again
                if not isinstance(error.__cause__, Exception) or not is_transient(error.__cause__):
                    raise
                if (reason := str(error.what)) not in warned:
                    flow.context.events.warn(f"{reason}. It is tried again until the wait ends.")
                warned.add(reason)
                flow.context.cloud.observe_again()  # an observation keeps its errors
    unready = {r.area for r in found if r.finding.status in (Status.PENDING, Status.FAIL)}
    areas = {area for step in steps if (area := AREAS[step]) not in unready}
    context = flow.checks_context()
    with flow.context.events.step("verify", "Verifying"):
        report = run_checks(
            context,
            areas=areas,
            wait_seconds=max(0.0, wait_seconds - (time.monotonic() - started)),
            settle_seconds=settle,
            sleep=sleep,
            warn=flow.context.events.warn,
        )
    checked = [_for_stacks(result, flow) for result in report.results]
    name = flow.account_name
    results = sorted([*_check_payer(flow, steps), *found, *checked], key=lambda r: r.id)
    whole = build_report(context, results, account_name=name)
    known = flow.context.octo.ledger.account(whole.account_id)
    verified = {AREAS[step].value for step in steps}
    before = {a: s for a, s in known.statuses.items() if a not in verified} if known else {}
    return confirm(
        flow.context,
        flow.account,
        whole,
        finish=finish,
        before=before,
        may_register=finish,
        method="console",
    )


def _is_pending(result: CheckResult) -> bool:
    return result.finding.status is Status.PENDING


def result_id(stack: ExpectedStack) -> str:
    """Return the id of a stack's result in a report."""
    name = "bucket_stack" if stack.template == "cur-bucket" else "stack"
    return f"{AREAS[stack.step].value}.{name}"


def _stacks(flow: ConsoleFlow, steps: Sequence[Step]) -> list[CheckResult]:
    """Observe the stacks again, and what they made; the checks that follow share that."""
    flow.context.cloud.observe_again()
    results = []
    for step in steps:
        for expected in flow.stacks(step):
            started = time.monotonic()
            stack = flow.describe(expected)
            results.append(
                CheckResult(
                    result_id(expected),
                    AREAS[step],
                    "The stack was deployed in this account with the values of its link.",
                    finding(stack, expected, flow.account.account_id),
                    round(time.monotonic() - started, 3),
                )
            )
    return results


def finding(stack: ObservedStack, expected: ExpectedStack, account_id: str) -> Finding:
    """Put a stack's state into words, with what to do."""
    link = f"octo-tf console link {expected.step}"
    region = stack.region or expected.region
    where = f"account {account_id}, {region}"
    evidence: dict[str, object] = {
        "stack": stack.name,
        "region": region,
        "status": stack.status or stack.state,
    }
    if stack.state == "absent" and stack.resource_exists:
        everywhere = f"account {account_id}, in the regions that octo-tf may read"
        places = everywhere if expected.template == "api-access" else where
        return skipped(
            f"{expected.main_resource} exists, but no stack of {places} created it.",
            "Nothing needs to be done if the other checks pass.",
            **evidence,
        )
    if stack.state == "absent":
        return pending(
            f"There is no stack {expected.name} in {where} yet.",
            f"Open its link ({link}) while signed in to account {account_id}; the console shows the"
            " number at the top right. If CloudFormation shows the stack as complete, it is in"
            " another account or region: delete it there. If it *Requires capabilities :"
            " [CAPABILITY_NAMED_IAM]*, tick that IAM resources with custom names may be created.",
            **evidence,
        )
    if stack.state == "running":
        return pending(
            f"The stack {stack.name} is {stack.status}.",
            f"Wait for AWS: octo-tf console check {expected.step} --wait 10m.",
            **evidence,
        )
    if stack.state == "failed":
        reasons = "; ".join(stack.reasons) or "CloudFormation gives no reason"
        return failed(
            f"The stack {stack.name} is {stack.status}: {reasons}",
            f"{_remediation(stack)} {_way_out(stack, link)}",
            **evidence,
            reasons=list(stack.reasons),
        )
    if stack.edited:
        names = ", ".join(stack.edited)
        return failed(
            f"The stack {stack.name} was deployed with another {names} than the link gives.",
            f"Update the stack {stack.name} with the values as Octo shows them (CloudFormation,"
            f" Update, current template), or delete it and open its link again ({link}).",
            **evidence,
            edited=list(stack.edited),
        )
    return passed(f"The stack {stack.name} is {stack.status}.", **evidence)


def _way_out(stack: ObservedStack, link: str) -> str:
    """Say what becomes of a failed stack: one that was deployed before has what Octo uses."""
    if stack.has_failed_update:
        action = "Continue update rollback" if stack.status == ROLLBACK_FAILED else "Roll back"
        return (
            f"Then choose {action} for the stack {stack.name} in CloudFormation, and update it"
            " again. Do not delete it: Octo uses the resources that the stack has created."
        )
    return f"Then delete the stack {stack.name} and open its link again ({link})."


def _remediation(stack: ObservedStack) -> str:
    """Say what removes the cause that AWS names."""
    text = " ".join(stack.reasons)
    if "already exists" in text:
        return (
            "A resource of the stack exists already: another stack created it (CloudFormation,"
            " Stacks), or a person. Keep that one if Octo uses it; else delete it."
        )
    if "not authorized" in text:
        return "Sign in as a user with the permissions that the reason names."
    if "organizations access" in text:
        return TRUSTED_ACCESS
    if "bucket" in text.lower():
        return (
            "Name a bucket of this account, in its own region, whose policy lets AWS deliver"
            " (octo-tf console check cur shows the statements)."
        )
    return "Remove the cause that the reason names."


def _for_stacks(result: CheckResult, flow: ConsoleFlow) -> CheckResult:
    """Put the remedy into words: here the user updates the stack or deploys it again."""
    if isinstance(result.finding.remedy, str):
        return result
    # A feature's roles are in the stack of API access.
    steps = (step for step, area in AREAS.items() if area == result.area)
    step: Step = next(steps, "api-access")
    stack = flow.stacks(step)[-1]
    restoring = (
        f"update the stack {stack.name} with octo-tf console template {stack.template}, or delete"
        f" it and open its link again (octo-tf console link {step})"
    )
    words = for_stacks(result.finding.remedy, restoring)
    return replace(result, finding=replace(result.finding, remedy=words))


def _check_payer(flow: ConsoleFlow, steps: Sequence[Step]) -> list[CheckResult]:
    """Check that a linked account's payer is registered before it."""
    payer = flow.payer
    if payer is None or "api-access" not in steps:
        return []
    registered = flow.payer_is_registered()
    first = "Octo wants the payer before its linked accounts"
    if registered:
        found = passed(f"The payer {payer} is registered.", payer=payer)
    elif registered is None:
        found = skipped(
            f"Whether the payer {payer} is registered is not known here.",
            f"{first}: register it first, if it was not registered elsewhere.",
            payer=payer,
        )
    else:
        found = failed(
            f"The payer {payer} is not registered with Octo.",
            f"{first}: register it first.",
            payer=payer,
        )
    promise = "The organization's payer is registered before its linked accounts."
    return [CheckResult("api_access.payer", Area.API_ACCESS, promise, found, 0.0)]
