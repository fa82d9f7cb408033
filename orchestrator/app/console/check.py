"""Check and confirm: the stack first, then the very checks that follow Terraform's apply."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from orchestrator.app.confirm import confirm
from orchestrator.app.console.flow import ConsoleFlow
from orchestrator.aws.errors import explained
from orchestrator.stacks import observed
from orchestrator.stacks.observed import Sighting
from orchestrator.stacks.steps import AREAS, LABELS, TRUSTED_ACCESS, Step, Wanted
from orchestrator.verify.model import Area, CheckResult, Finding, Report, Status
from orchestrator.verify.runner import build_report
from orchestrator.verify.runner import verify as run_checks

_PAUSE_SECONDS = 2.0
_SETTLE_SECONDS = 30.0  # IAM may answer from before the stack for this long
_TERRAFORMS_HINT = "octo-tf apply"


def check(
    flow: ConsoleFlow,
    steps: Sequence[Step],
    *,
    wait_seconds: float = 0.0,
    stack_seconds: float = 0.0,
    finish: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """What AWS has of some steps; Octo's side learns it.

    Args:
        flow: the account.
        steps: which.
        wait_seconds: how long to wait for stacks that are not there or at work, and for what is
            pending afterwards.
        stack_seconds: how long to wait for the stacks alone.
        finish: whether this is *Confirm and Finish*.
        sleep: how to pass the time between two looks.

    Raises:
        AwsError: AWS cannot be asked.
    """
    started = time.monotonic()
    patience, settle = max(wait_seconds, stack_seconds), min(wait_seconds, _SETTLE_SECONDS)
    with flow.context.events.step("stacks", "Reading the stacks"):
        found = _stacks(flow, steps)
        while time.monotonic() - started < patience and any(map(_is_pending, found)):
            sleep(_PAUSE_SECONDS)
            found, settle = _stacks(flow, steps), _SETTLE_SECONDS
    unready = {r.area for r in found if r.finding.status in (Status.PENDING, Status.FAIL)}
    areas = {AREAS[step] for step in steps} - unready
    with flow.context.events.step("verify", "Verifying"):
        report = run_checks(
            flow.checks_context(),
            areas=areas,
            wait_seconds=max(0.0, wait_seconds - (time.monotonic() - started)),
            settle_seconds=settle,
        )
    checked = [_in_console_words(result, flow) for result in report.results]
    name = flow.registration.account_name or ""
    results = sorted([*_payer_first(flow, steps), *found, *checked], key=lambda r: r.id)
    whole = build_report(flow.checks_context(), results, account_name=name)
    known = flow.context.octo.record(whole.account_id)
    looked_at = {AREAS[step].value for step in steps}
    before = {a: s for a, s in known.statuses.items() if a not in looked_at} if known else {}
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


def result_id(wanted: Wanted) -> str:
    """The id under which a report says what was seen of a stack."""
    name = "bucket_stack" if wanted.template == "cur-bucket" else "stack"
    return f"{AREAS[wanted.step].value}.{name}"


def _stacks(flow: ConsoleFlow, steps: Sequence[Step]) -> list[CheckResult]:
    results = []
    for step in steps:
        for wanted in flow.wanted(step):
            started = time.monotonic()
            with explained(f"looking for the stack of {LABELS[step]}"):
                seen = observed.look(flow.context.cloud.connect(), wanted)
            results.append(
                CheckResult(
                    result_id(wanted),
                    AREAS[step],
                    "The stack was deployed in this account as it was given.",
                    finding(seen, wanted, flow.account.account_id),
                    round(time.monotonic() - started, 3),
                )
            )
    return results


def finding(seen: Sighting, wanted: Wanted, account_id: str) -> Finding:
    """What was seen of a stack, in words, with the way on."""
    link = f"octo-tf console link {wanted.step}"
    where = f"account {account_id}, {wanted.region}"
    evidence: dict[str, object] = {
        "stack": seen.name,
        "region": wanted.region,
        "status": seen.status or seen.state,
    }
    if seen.state == "absent" and seen.made_otherwise:
        return Finding(
            Status.SKIPPED,
            f"{wanted.anchor} is there, but no stack of {where} made it.",
            evidence,
            "Nothing is to be done where the other checks pass.",
        )
    if seen.state == "absent":
        return Finding(
            Status.PENDING,
            f"There is no stack {wanted.name} in {where} yet.",
            evidence,
            f"Open its link ({link}) while signed in to account {account_id}; the console shows the"
            " number at the top right. If CloudFormation shows the stack as complete, it is in"
            " another account or region: delete it there. If it *Requires capabilities :"
            " [CAPABILITY_NAMED_IAM]*, tick that IAM resources with custom names may be created.",
        )
    if seen.state == "running":
        return Finding(
            Status.PENDING,
            f"The stack {seen.name} is {seen.status}.",
            evidence,
            f"AWS goes on by itself; run octo-tf console check {wanted.step} --wait 10m.",
        )
    if seen.state == "failed":
        reasons = "; ".join(seen.reasons) or "CloudFormation gives no reason"
        return Finding(
            Status.FAIL,
            f"The stack {seen.name} is {seen.status}: {reasons}",
            {**evidence, "reasons": list(seen.reasons)},
            f"{_way_out(seen)} Then delete the stack {seen.name} and open its link again ({link}).",
        )
    if seen.edited:
        names = ", ".join(seen.edited)
        return Finding(
            Status.FAIL,
            f"The stack {seen.name} was deployed with another {names} than the link gives.",
            {**evidence, "edited": list(seen.edited)},
            f"Update the stack {seen.name} with the values as Octo shows them (CloudFormation,"
            f" Update, current template), or delete it and open its link again ({link}).",
        )
    return Finding(Status.PASS, f"The stack {seen.name} is {seen.status}.", evidence)


def _way_out(seen: Sighting) -> str:
    """What mends the reason that AWS gives."""
    text = " ".join(seen.reasons)
    if "already exists" in text:
        return (
            "What the stack makes is there already: of another stack (CloudFormation, Stacks), or"
            " made by hand. Keep that one if Octo uses it; else delete it."
        )
    if "not authorized" in text:
        return "Sign in as somebody who may do what the reason names."
    if "organizations access" in text:
        return TRUSTED_ACCESS
    if "bucket" in text.lower():
        return (
            "Name a bucket of this account, in its own region, whose policy lets AWS deliver"
            " (octo-tf console check cur shows the statements)."
        )
    return "Mend what the reason names."


def _in_console_words(result: CheckResult, flow: ConsoleFlow) -> CheckResult:
    """The checks' ways out are Terraform's; here the stack is what brings things back."""
    if _TERRAFORMS_HINT not in result.finding.hint:
        return result
    step = next(step for step, area in AREAS.items() if area is result.area)
    stack = flow.wanted(step)[-1]
    hint = (
        f"Bring the stack {stack.name} back to its template and values: delete it and open its link"
        f" again (octo-tf console link {step}), or update it with octo-tf console template"
        f" {stack.template}."
    )
    if result.id == "cur_s3.bucket_policy" and not flow.inputs.bucket_is_new:
        needed = flow.checks_context().expected.cur
        statements = needed.bucket_policy_statements if needed else ""
        hint = f"Add these statements to the bucket's policy: {statements}"
    return replace(result, finding=replace(result.finding, hint=hint))


def _payer_first(flow: ConsoleFlow, steps: Sequence[Step]) -> list[CheckResult]:
    """A linked account's payer should be registered before it."""
    payer = flow.payer
    if payer is None or "api-access" not in steps:
        return []
    if flow.payer_is_known():
        found = Finding(Status.PASS, f"The payer {payer} is registered.", {"payer": payer})
    else:
        found = Finding(
            Status.SKIPPED,
            f"Whether the payer {payer} is registered is not known here.",
            {"payer": payer},
            "Octo wants the payer before its linked accounts: register it first, if it was not"
            " registered elsewhere.",
        )
    promise = "The organization's payer is registered before its linked accounts."
    return [CheckResult("api_access.payer", Area.API_ACCESS, promise, found, 0.0)]
