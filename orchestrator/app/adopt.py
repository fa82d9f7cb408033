"""Adopt: existing resources are imported as they are, and their owner until now releases them.

    identify → snapshot → plan → CONSENT → octo.yaml, release of stacks → apply with imports
        → verify → the same snapshot again → leftover roles, the old Terraform state

octo-tf's own state begins empty, so its plan can only import, change and create. Each step is
skipped if it was done before: an interrupted adoption is run again by the same command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.adoption import foreign_state
from orchestrator.adoption.candidate import Candidate
from orchestrator.app import configuring, snapshot, steps
from orchestrator.app import plan as planning
from orchestrator.app.apply import CarryOut, Consent, apply_prepared
from orchestrator.app.context import AccountContext
from orchestrator.app.review import Review
from orchestrator.app.snapshot import Snapshot
from orchestrator.detection.imports import ROLE_HINT, ImportRules
from orchestrator.errors import ConfigError, Refused
from orchestrator.files import read_regular
from orchestrator.model.module_contract.inputs import module_inputs
from orchestrator.model.module_contract.octo_names import API_ROLE, CUR_ROLE
from orchestrator.model.observed import OwningStack, own_policies
from orchestrator.model.outside_action import (
    CONFIGURE,
    DELETE_ROLE,
    RELEASE_STACK,
    RELEASE_STATE,
    OutsideAction,
)
from orchestrator.model.words import counted
from orchestrator.terraform.state import BUCKET
from orchestrator.verify.model import Report

_SNAPSHOT = "adoption.json"


@dataclass(frozen=True)
class Request:
    """What an adoption does besides importing.

    Attributes:
        config: octo.yaml, and ``settings`` what is written to it.
        release_state: whether the old Terraform state releases what is adopted.
    """

    config: Path
    settings: Mapping[str, Any] = field(repr=False)
    delete_roles: tuple[str, ...] = ()
    release_stacks: tuple[str, ...] = ()
    release_state: bool = True


@dataclass(frozen=True)
class Adopted:
    """What an adoption did.

    Attributes:
        kept: what was compared with before and is the same, by kind and name.
        copy: the copy of the old state; None if that state released nothing now.
    """

    review: Review
    report: Report
    kept: tuple[str, ...]
    copy: Path | None


def check(candidate: Candidate, request: Request, *, purge: bool) -> list[str]:
    """Make sure that an adoption may be planned.

    Args:
        purge: whether the user accepted the removals.

    Returns:
        Notes on roles and stacks that were named and are not there any more.

    Raises:
        ConfigError: a role to be deleted is adopted, or a stack to be released owns nothing.
        Refused: a role cannot be adopted, a stack owns something, or something would be removed
            without consent.
    """
    proposal = candidate.proposal
    if proposal.obstacles:
        raise Refused(
            "this cannot be adopted; nothing was written:\n"
            + "\n".join(f"  {obstacle}" for obstacle in proposal.obstacles),
            hint=ROLE_HINT,
        )
    leftover = {role.name for role in proposal.leftovers}
    if adopted := sorted(set(request.delete_roles) & set(candidate.inventory.roles) - leftover):
        raise ConfigError(
            f"{', '.join(adopted)}: adopted, so it is not removed",
            where="--remove-role",
            hint=f"Leftover roles: {', '.join(sorted(leftover)) or 'none'}.",
        )
    owning = {r: s for r, s in proposal.owners.items() if s.name not in request.release_stacks}
    names = sorted({stack.name for stack in owning.values()})
    unknown = sorted(set(request.release_stacks) - {s.name for s in proposal.owners.values()})
    if unknown and owning:
        raise ConfigError(
            f"{', '.join(unknown)}: no stack of that name owns anything that is adopted",
            where="--release-stack",
            hint=f"These do: {', '.join(names)}.",
        )
    if owning:
        raise Refused(
            "CloudFormation stacks own what is to be adopted, and would change or delete it later;"
            " nothing was written:\n"
            + "\n".join(f"  {one}: stack {s.name} in {s.region}" for one, s in owning.items()),
            hint="Have it released: "
            + " ".join(f"--release-stack {name}" for name in names)
            + ". By hand: update the stack with DeletionPolicy: Retain on each resource, then"
            " delete it; the resources stay (docs/how-to/adopt-a-registration.md).",
        )
    if proposal.removals and not purge:
        raise Refused(
            "adoption would remove this; nothing was written:\n"
            + "\n".join(f"  {removal}" for removal in proposal.removals),
            hint="Accept it with --purge-policies, or move it elsewhere first.",
        )
    gone = sorted(set(request.delete_roles) - leftover)
    return [
        *(f"There is no leftover role {name}: none is deleted." for name in gone),
        *(f"No stack {name} owns anything that is adopted: none is released." for name in unknown),
    ]


def prepare(context: AccountContext, candidate: Candidate, request: Request) -> AccountContext:
    """Let the plan import what differs, and what the stacks of the request still own.

    Exactly the removals that were shown are accepted: one that is added meanwhile is refused.
    """
    rules = ImportRules(
        adopting=True,
        accepted_removals=frozenset(removal.key for removal in candidate.proposal.removals),
        released_stacks=frozenset(request.release_stacks),
    )
    return replace(context, settings=replace(context.settings, imports=rules))


def plan(context: AccountContext, candidate: Candidate, request: Request) -> Review:
    """Plan an adoption; nothing is changed, and the plan is not kept.

    Raises:
        Refused: a resource cannot be imported.
    """
    actions = outside_actions(candidate, request)
    review = planning.plan(prepare(context, candidate, request), announced=actions)
    review.plan.file.unlink(missing_ok=True)
    return review


def adopt(
    context: AccountContext, candidate: Candidate, request: Request, *, consent: Consent
) -> Adopted:
    """Import, apply, verify, and compare with the state before, then remove the roles named.

    Args:
        candidate: what the account has, and what of it is adopted.
        consent: asked once, before anything is changed: the plan has a line for each change.

    Raises:
        Refused: see ``apply``.
        OctoTfError: a stack is not released, or something is not what it was before.
    """
    context = prepare(context, candidate, request)
    file = context.folder / _SNAPSHOT

    def consented(review: Review) -> None:
        consent(review)
        snapshot.keep(before, file)
        if any(c.imported and c.type == BUCKET for c in review.plan.changes):
            bucket = module_inputs(context.registration).cur_s3_bucket_name
            name = context.account_name
            context.octo.ledger.note_adopted_bucket(account, name, bucket)

    account = steps.identify(context)
    with context.locked():
        prepared = steps.prepare(context, account, registering=True)
        before = snapshot.kept(file) or _observe(context, candidate)
        applied = apply_prepared(
            context,
            prepared,
            consent=consented,
            announced=outside_actions(candidate, request),
            carry_out=_before_apply(context, candidate, request),
        )
        outputs = steps.applied_outputs(context, prepared.terraform)
        after = context.cloud.take_snapshot(outputs, applied.report)
        snapshot.compare(before, after, context.registration.account_id)
        copy = _finish(context, candidate, applied.review.outside)
        file.unlink(missing_ok=True)
    return Adopted(applied.review, applied.report, tuple(before.identities), copy)


def outside_actions(candidate: Candidate, request: Request) -> tuple[OutsideAction, ...]:
    """List what an adoption changes outside Terraform, as lines of its plan."""
    actions = [*configuring.announce(request.config, request.settings)]
    for stack in _released(candidate, request):
        summary = (
            f"Delete the CloudFormation stack {stack.name} ({stack.region}); its resources stay"
            " (DeletionPolicy: Retain)."
        )
        actions.append(OutsideAction(RELEASE_STACK, stack.name, summary))
    for role in candidate.proposal.leftovers:
        if role.name in request.delete_roles:
            summary = f"Delete the role {role.name}, with its policies"
            attached = own_policies(candidate.inventory.roles[role.name].managed)
            if names := ", ".join(sorted(arn.rpartition("/")[2] for arn in attached)):
                summary += f"; {names} only if nothing else uses them"
            summary += "."
            actions.append(OutsideAction(DELETE_ROLE, role.name, summary))
    state, module = candidate.state, candidate.module
    if module and state.addresses and request.release_state:
        count = len(state.addresses)
        addresses = counted(count, "address", "addresses")
        what = f"{state.instance} ({addresses})" if state.instance else addresses
        named = "" if state.instance else f": {', '.join(state.addresses)}"
        summary = (
            f"Remove {what} from the Terraform state in {module.folder}; nothing is destroyed, and"
            f" a copy of the state is kept{named}."
        )
        actions.append(OutsideAction(RELEASE_STATE, str(module.folder), summary))
    return tuple(actions)


def _released(candidate: Candidate, request: Request) -> list[OwningStack]:
    owners = {o for o in candidate.proposal.owners.values() if o.name in request.release_stacks}
    return sorted(owners, key=lambda owner: (owner.name, owner.region))


def _before_apply(context: AccountContext, candidate: Candidate, request: Request) -> CarryOut:
    regions: dict[str, list[str]] = {}
    for stack in _released(candidate, request):
        regions.setdefault(stack.name, []).append(stack.region)

    def release_stack(action: OutsideAction) -> None:
        with context.events.step("release_stack", f"Releasing stack {action.subject}"):
            context.cloud.release_stack(action.subject, regions[action.subject].pop(0))

    return {
        CONFIGURE: lambda _action: configuring.write(request.config, request.settings),
        RELEASE_STACK: release_stack,
    }


def _finish(
    context: AccountContext, candidate: Candidate, actions: Sequence[OutsideAction]
) -> Path | None:
    """Delete leftover roles and have the old state release its addresses, in the plan's order."""
    copy = None
    for action in actions:
        if action.code == DELETE_ROLE:
            with context.events.step("delete_role", f"Deleting role {action.subject}"):
                context.cloud.delete_role(action.subject)
        elif action.code == RELEASE_STATE and candidate.terraform is not None:
            with context.events.step("release_state", "Releasing the old Terraform state"):
                copy = foreign_state.release(candidate.terraform, candidate.state, context.folder)
    return copy


def _observe(context: AccountContext, candidate: Candidate) -> Snapshot:
    """Note what must be the same afterwards, by ids and times that AWS never gives twice."""
    found, adopted = candidate.inventory, candidate.proposal.adopted
    identities = {
        f"role {name}": found.roles[name].role_id
        for name in (API_ROLE, CUR_ROLE)
        if name in found.roles
    }
    if found.buckets:
        dates = context.cloud.bucket_creation_dates()
        identities |= {f"bucket {name}": date for name, date in dates.items()}
    identities |= {
        f"report {name}": f"{report['S3Bucket']}/{report['S3Prefix']}"
        for name, report in found.reports.items()
    }
    deployed = {
        account
        for name, stack_set in found.stack_sets.items()
        if f"StackSet {name}" in adopted
        for account in stack_set.current
    }
    kept = {resource: value for resource, value in identities.items() if resource in adopted}
    return Snapshot(identities=kept, passing=[], linked=sorted(deployed))


def names_in_state(context: AccountContext) -> frozenset[str]:
    """Name the roles, buckets, reports and StackSets in octo-tf's own state."""
    is_local = context.registration.backend.type == "local"
    if is_local or not (context.folder / ".terraform").is_dir():
        return names_in_folder(context.folder)
    terraform = context.open_terraform(steps.decide_external_id(context))
    return foreign_state.names_in(terraform.pull())


def names_in_folder(folder: Path) -> frozenset[str]:
    """Name what the state file of a root folder has; all that is known if octo.yaml is lost."""
    path = folder / "terraform.tfstate"
    if not path.is_file():
        return frozenset()
    return foreign_state.names_in(read_regular(path).decode(errors="replace"))
