"""Taking over: snapshot → apply with imports → the same snapshot again → the old owner lets go.

Nothing can be destroyed on the way: octo-tf's own state begins empty, so its plan can only import
and create; the other state is only made to forget. Each step looks first at what is still to be
done, so that a killed adoption is simply run again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from orchestrator.adoption import release as releasing
from orchestrator.adoption import stacks
from orchestrator.adoption.inventory import Inventory
from orchestrator.adoption.proposal import Proposal
from orchestrator.app import pipeline, snapshot
from orchestrator.app.context import Run
from orchestrator.app.review import Review
from orchestrator.app.snapshot import Snapshot
from orchestrator.aws.errors import explained
from orchestrator.aws.session import Aws
from orchestrator.detection import describe
from orchestrator.errors import ConfigError, OctoTfError, Refused
from orchestrator.verify.model import Report

_SNAPSHOT = "adoption.json"


@dataclass(frozen=True)
class Adopted:
    """What an adoption did: the plan, the verification, and what was kept as it was, by name."""

    review: Review
    report: Report
    kept: tuple[str, ...]


def check(
    proposal: Proposal, *, remove: Collection[str], release: Collection[str], purge: bool
) -> None:
    """What must hold before anything is planned.

    Raises:
        Refused: a stack owns something, or something would go that nobody agreed to.
        ConfigError: a role that is to be removed is none of those that are left over, or a stack
            that is to be released owns nothing.
    """
    known = {leftover.role for leftover in proposal.leftovers}
    if unknown := sorted(set(remove) - known):
        raise ConfigError(
            f"{', '.join(unknown)}: not among the roles that are left over"
            + (f" ({', '.join(sorted(known))})" if known else ""),
            where="--remove-role",
            hint="octo-tf discover lists them.",
        )
    owning = {w: s for w, s in proposal.releases.items() if s not in release}
    if strangers := sorted(set(release) - set(proposal.releases.values())):
        raise ConfigError(
            f"{', '.join(strangers)}: no stack of that name owns anything that is taken over",
            where="--release-stack",
            hint="octo-tf discover shows which stack owns what.",
        )
    if owning:
        owned = "\n".join(f"  {w}: stack {s}" for w, s in owning.items())
        raise Refused(
            "CloudFormation stacks own what is to be taken over, and would change or delete it"
            f" again; nothing was written:\n{owned}",
            hint="Have it released: "
            + " ".join(f"--release-stack {s}" for s in sorted(set(owning.values())))
            + ". By hand: update the stack with DeletionPolicy: Retain on each resource, then"
            " delete it; the resources stay (docs/adopting.md).",
        )
    if proposal.losses and not purge:
        raise Refused(
            "taking over what is there would take this away; nothing was written:\n"
            + "\n".join(f"  {loss}" for loss in proposal.losses),
            hint="Agree to it with --purge-policies, or move it elsewhere first.",
        )


def adopt(
    run: Run, found: Inventory, proposal: Proposal, *, approve: Callable[[Review], None]
) -> Adopted:
    """Imports, applies, verifies, and compares with what was there.

    Raises:
        Refused: see ``pipeline.apply``.
        OctoTfError: something is not what it was before; each thing is named.
    """
    pipeline.check_linked(run)
    before = _before(run, found, proposal)
    file = run.folder / _SNAPSHOT

    def approved(review: Review) -> None:
        nonlocal before
        approve(review)
        before = snapshot.keep(before, file)  # a killed run's next one compares with this

    review, report = pipeline.apply(run, approve=approved)
    after = snapshot.take(pipeline.context(run, pipeline.known(run)), report)
    if lost := snapshot.differences(before, after):
        raise OctoTfError(
            "it is applied, but not everything is as it was:\n"
            + "\n".join(f"  {sentence}" for sentence in lost),
            where=run.registration.account_id,
            hint="Run octo-tf verify: its hints say what mends each check.",
        )
    file.unlink(missing_ok=True)
    return Adopted(review, report, tuple(before.identities))


def _before(run: Run, found: Inventory, proposal: Proposal) -> Snapshot:
    """What must still be the same thing afterwards, by what AWS never gives twice."""
    identities = {
        f"role {name}": role.role_id
        for name, role in found.roles.items()
        if f"role {name}" in proposal.adopted
    }
    with explained("taking the snapshot"):
        for bucket in run.aws.client("s3").list_buckets()["Buckets"] if found.buckets else ():
            if f"bucket {bucket['Name']}" in proposal.adopted:
                identities[f"bucket {bucket['Name']}"] = bucket["CreationDate"].isoformat()
    for name, report in found.reports.items():
        if f"report {name}" in proposal.adopted:
            identities[f"report {name}"] = f"{report['S3Bucket']}/{report['S3Prefix']}"
    reached = {
        account
        for name, stack_set in found.stack_sets.items()
        if f"StackSet {name}" in proposal.adopted
        for account in stack_set.accounts
    }
    return Snapshot(identities=identities, passing=[], linked=sorted(reached))


def release_stacks(aws: Aws, found: Inventory, names: Collection[str]) -> None:
    """Has stacks let go of what they own, which stays; the account was made sure of.

    Raises:
        OctoTfError: a stack did not get there.
    """
    regions = {bucket.region for bucket in found.buckets.values()}
    for name in names:
        with explained(f"releasing stack {name}"):
            if region := stacks.region_of(aws, name, *regions):
                stacks.release(aws, name, region)


def remove_roles(run: Run, names: Collection[str]) -> list[str]:
    """Deletes roles that are left over; the account is made sure of first.

    Returns:
        Those that were there.
    """
    _ = run.account
    removed = []
    for name in names:
        with explained(f"removing role {name}"):
            if describe.role(run.aws, name) is None:
                continue
            releasing.remove_role(run.aws, name)
        removed.append(name)
    return removed
