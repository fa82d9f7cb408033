"""Adopt: what is in AWS is imported; nothing is replaced, and the old owner releases it.

    prepare → snapshot → apply with imports → the same snapshot again

Nothing can be destroyed: octo-tf's own state begins empty, so its plan can only import and create.
Each step looks first at what is still to be done: a killed adoption is simply run again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from orchestrator.adoption import release as releasing
from orchestrator.adoption import stacks
from orchestrator.adoption.inventory import Inventory
from orchestrator.adoption.proposal import Proposal
from orchestrator.app import snapshot, steps
from orchestrator.app.apply import Consent, apply_prepared
from orchestrator.app.context import AccountContext
from orchestrator.app.review import Review
from orchestrator.app.snapshot import Snapshot
from orchestrator.aws import iam, s3
from orchestrator.aws.errors import explained
from orchestrator.aws.session import Aws
from orchestrator.errors import ConfigError, Refused
from orchestrator.model.outside_action import OutsideAction
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
            " delete it; the resources stay (docs/how-to/adopt-a-registration.md).",
        )
    if proposal.removals and not purge:
        raise Refused(
            "taking over what is there would take this away; nothing was written:\n"
            + "\n".join(f"  {removal}" for removal in proposal.removals),
            hint="Agree to it with --purge-policies, or move it elsewhere first.",
        )


def adopt(
    context: AccountContext,
    found: Inventory,
    proposal: Proposal,
    *,
    consent: Consent,
    configure: Callable[[], None],
    configuring: tuple[OutsideAction, ...] = (),
) -> Adopted:
    """Import, apply, verify, and compare with what was there.

    Args:
        context: the account.
        found: what the account has.
        proposal: what of it is taken over.
        consent: asked before anything is changed.
        configure: writes octo.yaml, right after consent.
        configuring: the lines of the plan that say so.

    Raises:
        Refused: see ``apply``.
        OctoTfError: something is not what it was before; each thing is named.
    """
    file = context.folder / _SNAPSHOT

    def consented(review: Review) -> None:
        consent(review)
        snapshot.keep(before, file)
        configure()

    account = steps.identify(context)
    with context.locked():
        prepared = steps.prepare(context, account, registering=True)
        before = snapshot.kept(file) or _before(context.cloud.connect(), found, proposal)
        applied = apply_prepared(context, prepared, consent=consented, announced=configuring)
        outputs = steps.applied_outputs(context, prepared.terraform)
        after = snapshot.take(
            context.cloud.checks_context(outputs, prepared.external_id.get_secret_value()),
            applied.report,
        )
        snapshot.compare(before, after, context.registration.account_id)
        file.unlink(missing_ok=True)
    return Adopted(applied.review, applied.report, tuple(before.identities))


def _before(aws: Aws, found: Inventory, proposal: Proposal) -> Snapshot:
    """What must still be the same thing afterwards, by what AWS never gives twice."""
    identities = {
        f"role {name}": role.role_id
        for name, role in found.roles.items()
        if f"role {name}" in proposal.adopted
    }
    with explained("taking the snapshot"):
        for name, created in (s3.creation_dates(aws) if found.buckets else {}).items():
            if f"bucket {name}" in proposal.adopted:
                identities[f"bucket {name}"] = created.isoformat()
    for name, report in found.reports.items():
        if f"report {name}" in proposal.adopted:
            identities[f"report {name}"] = f"{report['S3Bucket']}/{report['S3Prefix']}"
    reached = {
        account
        for name, stack_set in found.stack_sets.items()
        if f"StackSet {name}" in proposal.adopted
        for account in stack_set.current
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


def remove_roles(context: AccountContext, names: Collection[str]) -> list[str]:
    """Delete leftover roles; the account is identified first.

    Returns:
        Those that were there.
    """
    steps.identify(context)
    aws, removed = context.cloud.connect(), []
    for name in names:
        with explained(f"removing role {name}"):
            if iam.get_role(aws, name) is None:
                continue
            iam.delete_role(aws, name)
        removed.append(name)
    return removed


def names_in_state(context: AccountContext) -> frozenset[str]:
    """Name what octo-tf's own state holds already.

    Raises:
        EngineError: the state cannot be read.
    """
    path = context.folder / "terraform.tfstate"
    if path.is_file():
        return releasing.names_in(path.read_text(encoding="utf-8"))
    is_local = context.registration.backend.type == "local"
    if is_local or not (context.folder / ".terraform").is_dir():
        return frozenset()
    terraform = context.open_terraform(steps.decide_external_id(context))
    return releasing.names_in(terraform.pull())
