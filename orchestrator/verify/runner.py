"""Run the checks in parallel and collect their findings into a report."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

from orchestrator.aws.errors import (
    ServiceError,
    as_aws_error,
    code_of,
    denied_action,
    is_denied,
    is_transient,
)
from orchestrator.plugins import modules_in
from orchestrator.verify import checks
from orchestrator.verify.model import (
    Area,
    Check,
    CheckResult,
    Context,
    Finding,
    Report,
    Status,
    failed,
    skipped,
)

SETTLE_SECONDS = 30.0  # IAM and S3 may answer from before a change for this long
_PARALLEL = 8
_PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds between two runs; the last one repeats
_WORST_FIRST = (Status.FAIL, Status.PENDING, Status.PASS, Status.SKIPPED)


@cache
def find() -> tuple[Check, ...]:
    """Return every check of ``checks/``, sorted by id; a module has one, or several alike."""
    found = (c for m in modules_in(checks) for c in getattr(m, "CHECKS", None) or (m.CHECK,))
    return tuple(sorted(found, key=lambda check: check.id))


def verify(
    context: Context,
    *,
    account_name: str = "",
    areas: Collection[Area] = tuple(Area),
    wait_seconds: float = 0.0,
    settle_seconds: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
    warn: Callable[[str], None] = lambda _sentence: None,
) -> Report:
    """Run every check that applies to the account; repeat those that may still pass.

    A check whose call failed transiently (network, throttling, an AWS error, expired credentials)
    is repeated until the wait ends; one that was denied access is not.

    Args:
        context: what the checks read by; the facts of its observation are used as they are.
        areas: the areas to check; the features are checked with API access.
        wait_seconds: how long pending checks, and checks whose call failed transiently, repeat.
        settle_seconds: how long failed checks are repeated: for a while after an apply, IAM and S3
            may return what they had before it.
        sleep: waits that many seconds between two runs.
        warn: called once with each reason for which a call is tried again.
    """
    chosen = [check for check in find() if _area(check) in areas and check.applies(context.desired)]
    started = time.monotonic()
    if context.aws.facts is None:
        context = replace(context, aws=context.aws.observe())
    results, passing = _run(chosen, context)
    runs = 0
    warned: set[str] = set()
    while True:
        elapsed = time.monotonic() - started
        waits = elapsed < wait_seconds
        repeated = [
            check
            for check in chosen
            if (results[check.id].finding.status is Status.FAIL and elapsed < settle_seconds)
            or (results[check.id].finding.status is Status.PENDING and waits and check.awaited)
            or (check.id in passing and waits)
        ]
        if not repeated:
            break
        for reason in sorted(set(passing.values()) - warned if waits else ()):
            warn(f"{reason} It is tried again until the wait ends.")
            warned.add(reason)
        sleep(_PAUSES[min(runs, len(_PAUSES) - 1)])
        runs += 1
        context = replace(context, aws=context.aws.observe())
        found, failed_again = _run(repeated, context)
        results.update(found)
        repeated_ids = {check.id for check in repeated}
        passing = {
            **{i: reason for i, reason in passing.items() if i not in repeated_ids},
            **failed_again,
        }
    ordered = tuple(results[check.id] for check in chosen)
    return build_report(context, ordered, account_name=account_name)


def build_report(
    context: Context, results: Sequence[CheckResult], *, account_name: str = ""
) -> Report:
    """Build the report from the checks' results."""
    outputs = context.desired.outputs
    return Report(
        account_id=outputs.account_id,
        account_type=outputs.account_type,
        account_name=account_name,
        results=tuple(results),
        areas={area: _worst(results, area) for area in Area},
        features={
            name: _worst(results, name) for name in outputs.api_access.features if name != "cost"
        },
        observed=context.aws,
    )


def _run(chosen: list[Check], context: Context) -> tuple[dict[str, CheckResult], dict[str, str]]:
    """Run checks in parallel; return the results, and reasons of transient failures, by id."""
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        answers = list(pool.map(lambda check: _one(check, context), chosen))
    results = {result.id: result for result, _ in answers}
    return results, {result.id: reason for result, reason in answers if reason}


def _one(check: Check, context: Context) -> tuple[CheckResult, str]:
    started = time.monotonic()
    reason = ""
    try:
        finding = check.run(context)
    except Exception as error:
        explained = as_aws_error(error, check.id)
        if explained is None:
            raise
        finding = (
            _not_checked(check, error)
            if isinstance(error, ServiceError)
            else failed(
                f"AWS did not answer: {type(error).__name__}.",
                explained.hint,
                error=type(error).__name__,
            )
        )
        if is_transient(error):
            reason = f"{explained.what}."
    seconds = round(time.monotonic() - started, 3)
    return CheckResult(check.id, check.area, check.promise, finding, seconds), reason


def _not_checked(check: Check, error: ServiceError) -> Finding:
    """Return the finding for a check whose AWS call failed; such a check never passes."""
    if is_denied(error):
        action = denied_action(error)
        likely = [p for p in check.permissions if p.endswith(f":{error.operation_name}")]
        needed = action or " or ".join(likely or check.permissions)
        if check.optional:
            return skipped(
                f"Not checked: the caller may not use {needed}.",
                f"Grant the caller {needed} to have {check.optional} checked.",
                permission=needed,
            )
        return failed(
            f"This could not be checked: {needed} is denied.",
            f"Grant the caller {needed}, then run octo-tf verify again.",
            operation=error.operation_name,
            permission=needed,
        )
    return failed(
        f"This could not be checked: {error.operation_name} returned {code_of(error)}.",
        "Run octo-tf verify again; if the error stays, look the code up in the API's reference.",
        operation=error.operation_name,
        code=code_of(error),
    )


def _area(check: Check) -> Area:
    """Return the area that a check is run with; a feature's roles are part of API access."""
    return Area(check.area) if check.area in [area.value for area in Area] else Area.API_ACCESS


def _worst(results: Iterable[CheckResult], area: str) -> Status:
    """Return the area's status: the worst one; skipped checks count only if all are skipped."""
    statuses = (result.finding.status for result in results if result.area == area)
    seen = {Status.PASS if status is Status.WARN else status for status in statuses}
    return next((status for status in _WORST_FIRST if status in seen), Status.SKIPPED)
