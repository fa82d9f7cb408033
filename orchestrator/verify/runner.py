"""Runs the checks side by side and puts their findings together."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.errors import code_of, denied_action, is_denied
from orchestrator.plugins import modules_in
from orchestrator.verify import checks
from orchestrator.verify.model import Area, Check, CheckResult, Context, Finding, Report, Status

_PARALLEL = 8
_PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds between looks; the last one repeats
_WORST_FIRST = (Status.FAIL, Status.PENDING, Status.PASS, Status.SKIPPED)


@cache
def find() -> tuple[Check, ...]:
    """Every check, by id; a check is found by its place in ``checks/``."""
    return tuple(sorted((module.CHECK for module in modules_in(checks)), key=lambda c: c.id))


def verify(
    context: Context,
    *,
    account_name: str = "",
    areas: Collection[Area] = tuple(Area),
    wait_seconds: float = 0.0,
    settle_seconds: float = 0.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Runs every check that applies to the account.

    Args:
        context: what to look at.
        account_name: for the report.
        areas: which areas to look at.
        wait_seconds: how long to look again while something is pending.
        settle_seconds: how long to look again while something fails: after an apply, IAM and S3
            may answer from before it.
        sleep: how to pass the time between two looks.
    """
    chosen = [check for check in find() if check.area in areas and check.applies(context)]
    started = time.monotonic()
    results = _run(chosen, context)
    looks = 0
    while True:
        elapsed = time.monotonic() - started
        again = [
            check
            for check in chosen
            if (results[check.id].finding.status is Status.FAIL and elapsed < settle_seconds)
            or (results[check.id].finding.status is Status.PENDING and elapsed < wait_seconds)
        ]
        if not again:
            break
        sleep(_PAUSES[min(looks, len(_PAUSES) - 1)])
        looks += 1
        results.update(_run(again, context))
    ordered = tuple(results[check.id] for check in chosen)
    return put_together(context, ordered, account_name=account_name)


def put_together(
    context: Context, results: Sequence[CheckResult], *, account_name: str = ""
) -> Report:
    """The report that results make."""
    return Report(
        account_id=context.expected.account_id,
        account_type=context.expected.account_type,
        account_name=account_name,
        results=tuple(results),
        areas={area: _worst(r.finding.status for r in results if r.area is area) for area in Area},
    )


def _run(chosen: list[Check], context: Context) -> dict[str, CheckResult]:
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        return {result.id: result for result in pool.map(lambda c: _one(c, context), chosen)}


def _one(check: Check, context: Context) -> CheckResult:
    started = time.monotonic()
    try:
        finding = check.run(context)
    except ClientError as error:
        finding = _not_seen(check, error)
    except BotoCoreError as error:
        finding = Finding(
            Status.FAIL,
            f"AWS could not be asked: {type(error).__name__}.",
            {"error": type(error).__name__},
            "Check the network and the credentials, then run octo-tf verify again.",
        )
    return CheckResult(
        check.id, check.area, check.promise, finding, round(time.monotonic() - started, 3)
    )


def _not_seen(check: Check, error: ClientError) -> Finding:
    """A check that could not look never passes."""
    if is_denied(error):
        action = denied_action(error)
        likely = [p for p in check.permissions if p.endswith(f":{error.operation_name}")]
        needed = action or " or ".join(likely or check.permissions)
        return Finding(
            Status.FAIL,
            f"This could not be checked: {needed} is denied.",
            {"operation": error.operation_name, "permission": needed},
            f"Grant the caller {needed}, then run octo-tf verify again.",
        )
    return Finding(
        Status.FAIL,
        f"This could not be checked: {error.operation_name} answered {code_of(error)}.",
        {"operation": error.operation_name, "code": code_of(error)},
        "Run octo-tf verify again; if it stays, the code above tells what AWS objects to.",
    )


def _worst(statuses: Iterable[Status]) -> Status:
    """The area's status; checks that did not look do not count against those that did."""
    seen = set(statuses)
    return next((status for status in _WORST_FIRST if status in seen), Status.SKIPPED)
