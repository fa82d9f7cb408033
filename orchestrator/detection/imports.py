"""What a plan would make although AWS has it: taken over by import, or refused. Never made twice.

The plan itself says what Terraform does not know yet: what it would create. Only those few are
looked for, so a run with nothing to do pays nothing, whatever backend holds the state. What is
found is imported by a second plan when it is provably this registration's own (a run that was
killed before Terraform wrote it down), or when `octo-tf adopt` was told to.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from orchestrator.aws.session import Aws
from orchestrator.detection import describe
from orchestrator.detection.compare import BUCKET, REPORT, ROLES, STACKSET, Found, compare
from orchestrator.errors import Refused
from orchestrator.terraform.plan import Plan

MODULE = "module.octo."


@dataclass(frozen=True)
class Names:
    """The names by which AWS may have what the plan would create."""

    account_id: str
    bucket: str
    report: str
    stack_set: str


def find(
    aws: Aws,
    plan: Plan,
    names: Names,
    *,
    read: Callable[[], Mapping[str, Mapping[str, Any]]],
    unfinished: frozenset[str],
    adopting: bool,
    agreed: Collection[tuple[str, str]],
) -> dict[str, str]:
    """What the next plan takes over: import ids by address; empty where nothing is to be.

    Args:
        aws: calls as the account.
        plan: what Terraform would do.
        names: what is looked for.
        read: gives what the plan would create, by address; called only where something is found.
        unfinished: addresses that a run which did not end was about to make.
        adopting: whether the user asked to take over what is there.
        agreed: what may go, as ``Loss.key``.

    Raises:
        Refused: it is there and not provably this registration's, a stack owns it, or taking it
            over would take something away that nobody agreed to.
        botocore.exceptions.ClientError: AWS could not be asked.
    """
    created = {c.address.removeprefix(MODULE) for c in plan.changes if c.action == "create"}
    there = _present(aws, created, names)
    if not there:
        return {}
    planned = {a.removeprefix(MODULE): values for a, values in read().items()}
    found = [compare(address, thing, created, planned) for address, thing in there.items()]
    _refuse(aws, found, unfinished=unfinished, adopting=adopting, agreed=agreed)
    return {MODULE + a: i for one in found for a, i in one.imports.items()}


def _present(aws: Aws, created: set[str], names: Names) -> dict[str, Any]:
    """What AWS has of what would be created, by address."""
    asked: dict[str, Callable[[], Any]] = {
        address: functools.partial(describe.role, aws, name)
        for address, name in ROLES.items()
        if address in created
    }
    if BUCKET in created:
        asked[BUCKET] = lambda: (
            describe.bucket(aws, names.bucket)
            if describe.owns_bucket(aws, names.bucket, names.account_id)
            else None
        )
    if REPORT in created:
        asked[REPORT] = lambda: next(
            (r for r in describe.reports(aws) if r["ReportName"] == names.report), None
        )
    if STACKSET in created:
        asked[STACKSET] = lambda: describe.stack_set(aws, names.stack_set)
    if not asked:
        return {}
    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        answers = dict(zip(asked, pool.map(lambda ask: ask(), asked.values()), strict=True))
    return {address: thing for address, thing in answers.items() if thing is not None}


def _refuse(
    aws: Aws,
    found: list[Found],
    *,
    unfinished: frozenset[str],
    adopting: bool,
    agreed: Collection[tuple[str, str]],
) -> None:
    if blocked := [f"  {one.what}: {one.obstacle}" for one in found if one.obstacle]:
        raise Refused(
            "this is there already and cannot be taken over; nothing was written:\n"
            + "\n".join(blocked),
            hint="Leave it as it is (use_stackset: false), or choose another stackset_name once"
            " its stacks are gone.",
        )
    foreign = [one for one in found if one.differences and MODULE + one.address not in unfinished]
    for one in found:
        if MODULE + one.address in unfinished:
            continue  # a killed run's own are no stack's
        if stack := describe.owner(aws, one.physical_id, "us-east-1"):
            raise Refused(
                f"{one.what} belongs to the CloudFormation stack {stack}, which would change or"
                " delete it again; nothing was written",
                hint=f"Run octo-tf adopt --release-stack {stack}: the stack goes, what it made"
                " stays (DeletionPolicy: Retain;"
                " docs/how-to/adopt-a-registration.md shows how by hand).",
            )
    if foreign and not adopting:
        raise Refused(
            "AWS has these already, and Terraform does not know them; nothing was written:\n"
            + "\n".join(f"  {one.what}: {', '.join(one.differences)}" for one in foreign),
            hint="Run octo-tf adopt: it shows what would change about them, and takes them over.",
        )
    if lost := [loss for one in found for loss in one.losses if loss.key not in agreed]:
        raise Refused(
            "taking over what is there would take this away; nothing was written:\n"
            + "\n".join(f"  {loss}" for loss in lost),
            hint="Agree to it with octo-tf adopt --purge-policies, or move it elsewhere first.",
        )
