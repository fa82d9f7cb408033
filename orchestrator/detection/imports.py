"""Find what a plan would create although AWS has it, and import it or refuse the plan.

The plan names what Terraform does not know yet: what it would create. Only those resources are
looked for, so a run without changes makes no extra call, whatever backend holds the state. An
existing resource is imported by a second plan if a run of this registration that was killed
before Terraform saved its state created it, or if the user runs `octo-tf adopt`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from orchestrator.aws import cloudformation, cur, iam, s3
from orchestrator.aws.session import Aws
from orchestrator.detection import stack_sets
from orchestrator.detection.compare import Comparison, Existing, compare
from orchestrator.errors import Refused
from orchestrator.model.module_contract.addresses import (
    BUCKET,
    MODULE,
    REPORT,
    ROLES,
    STACKSET,
    in_its_module,
    managed_policy,
)
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.stackset import StackSet
from orchestrator.terraform.plan import Plan

STACKSET_HINT = (
    "Leave the StackSet as it is (use_stackset: false), or choose another stackset_name once its"
    " stacks are deleted."
)
ROLE_HINT = (
    "Delete the role, or the stack that owns it, since its name can be used once; then run"
    " octo-tf apply, which creates it without a path."
)
# Terraform creates these only after the role or the bucket.
_LATER = ("aws_iam_role_policy.", "aws_s3_bucket_policy.")


@dataclass(frozen=True)
class ImportRules:
    """Which existing resources may be imported, and for what reason.

    Attributes:
        unfinished: addresses that a killed run was about to create.
        contested: those that existed already when that run tried to create them.
        adopting: whether the user asked to import resources that differ.
        accepted_removals: the removals that the user accepted, each a ``Removal.key``.
        released_stacks: CloudFormation stacks that release their resources before the import.
    """

    unfinished: frozenset[str] = frozenset()
    contested: frozenset[str] = frozenset()
    adopting: bool = False
    accepted_removals: frozenset[tuple[str, str]] = frozenset()
    released_stacks: frozenset[str] = frozenset()


def find(
    aws: Aws,
    plan: Plan,
    inputs: Inputs,
    rules: ImportRules,
    *,
    read: Callable[[], Mapping[str, Mapping[str, Any]]],
) -> dict[str, str]:
    """Return what the next plan should import: import ids by address.

    Args:
        inputs: the names to look for.
        read: returns the planned values by address; called only if something exists.

    Raises:
        Refused: a resource exists and is not provably this registration's, a CloudFormation stack
            manages it, or the import would remove something without consent.
    """
    created = {c.address.removeprefix(MODULE) for c in plan.changes if c.action == "create"}
    existing = _existing(aws, created, inputs)
    if not existing:
        return {}
    planned = {a.removeprefix(MODULE): values for a, values in read().items()}
    compared = [compare(address, one, created, planned) for address, one in existing.items()]
    if not rules.adopting:
        contested = [one for one in compared if MODULE + one.address in rules.contested]
        _refuse_contested(contested, existing)
    _refuse(aws, compared, rules)
    return {MODULE + a: i for one in compared for a, i in one.imports.items()}


def _existing(aws: Aws, created: set[str], inputs: Inputs) -> dict[str, Existing]:
    """Describe what AWS has of what would be created, by address, all at once."""
    reads: dict[str, Callable[[], Existing | None]] = {
        address: functools.partial(iam.describe_role, aws, name)
        for address, name in ROLES.items()
        if address in created
    }
    for address in created:
        if in_its_module(address).startswith("aws_iam_policy."):
            reads[address] = functools.partial(
                iam.describe_policy, aws, managed_policy(address), inputs.account_id
            )
    if BUCKET in created:
        reads[BUCKET] = lambda: s3.describe_bucket(
            aws, inputs.cur_s3_bucket_name, inputs.account_id
        )
    if REPORT in created:
        reads[REPORT] = lambda: cur.get_report(aws, inputs.cur_report_name)
    if STACKSET in created:
        reads[STACKSET] = lambda: stack_sets.describe(aws, inputs.stackset_name)
    if not reads:
        return {}
    with ThreadPoolExecutor(max_workers=len(reads)) as pool:
        answers = dict(zip(reads, pool.map(lambda read: read(), reads.values()), strict=True))
    return {address: answer for address, answer in answers.items() if answer is not None}


def _refuse_contested(compared: list[Comparison], existing: Mapping[str, Existing]) -> None:
    """Refuse what another run created while this one was about to.

    This run ended before it could make what comes after the resource: its policies, its instances.
    Where AWS has those, the resource was not made by a call of this run whose answer was lost. A
    report has nothing that comes after it, and no proof.
    """
    taken = []
    for one in compared:
        found = existing[one.address]
        if isinstance(found, StackSet):
            is_complete = bool(found.instances)
        else:
            is_complete = one.address == REPORT or any(
                in_its_module(a).startswith(_LATER) for a in one.imports
            )
        if is_complete:
            taken.append(f"  {one.resource}")
    if taken:
        raise Refused(
            "these were created by another run while this one was about to create them; nothing"
            " was written:\n" + "\n".join(taken),
            hint="Another working folder, or another machine, may register this account, and its"
            " state then owns them: go on there, and delete this folder. If there is none, octo-tf"
            " adopt imports them.",
        )


def _refuse(aws: Aws, compared: list[Comparison], rules: ImportRules) -> None:
    if blocked := [one for one in compared if one.obstacle]:
        hints = {STACKSET_HINT if one.address == STACKSET else ROLE_HINT for one in blocked}
        raise Refused(
            "this exists already and cannot be imported; nothing was written:\n"
            + "\n".join(f"  {one.resource}: {one.obstacle}" for one in blocked),
            hint=" ".join(sorted(hints)),
        )
    others = [one for one in compared if MODULE + one.address not in rules.unfinished]
    foreign = [one for one in others if one.differences]
    # A killed run created what is unfinished, so no stack manages it.
    owners = cloudformation.owning_stacks(aws, {one.physical_id for one in others}).stacks
    for one in compared:
        stack = owners.get(one.physical_id)
        if stack and stack.name not in rules.released_stacks:
            raise Refused(
                f"{one.resource} belongs to the CloudFormation stack {stack.name} in"
                f" {stack.region}, which would change or delete it again; nothing was written",
                hint=f"Run octo-tf adopt --release-stack {stack.name}: the stack is deleted, its"
                " resources stay (DeletionPolicy: Retain;"
                " docs/how-to/adopt-a-registration.md shows how by hand).",
            )
    if foreign and not rules.adopting:
        raise Refused(
            "these exist already, and differ from what Terraform would create; nothing was"
            " written:\n"
            + "\n".join(f"  {one.resource}: {', '.join(one.differences)}" for one in foreign),
            hint="Run octo-tf adopt: it shows what would change about them, and imports them.",
        )
    accepted = rules.accepted_removals
    if removals := [r for one in compared for r in one.removals if r.key not in accepted]:
        raise Refused(
            "the import would remove this; nothing was written:\n"
            + "\n".join(f"  {removal}" for removal in removals),
            hint="Consent to it with octo-tf adopt --purge-policies, or move it elsewhere first.",
        )
