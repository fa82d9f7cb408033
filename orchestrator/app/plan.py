"""Plan: what applying would change in AWS, in Octo and in the state. Nothing is changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.app import effects, enrolling, own_bucket, steps
from orchestrator.app.context import AccountContext
from orchestrator.app.events import PlanMade
from orchestrator.app.planned_roles import PlannedRoles
from orchestrator.app.review import Review, review
from orchestrator.app.steps import Prepared
from orchestrator.errors import PlanRefused, Refused
from orchestrator.model.account import Account
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.outside_action import (
    FORGET,
    PUSH,
    REGISTER,
    SET_ASIDE,
    TRUSTED_ACCESS,
    UNTAINT,
    OutsideAction,
    in_order,
)
from orchestrator.octo.departure import count
from orchestrator.stackset import deployments
from orchestrator.terraform import guard, journal, plan_file, provenance, render
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import REPORT, TARGET, StateEdit, StateResource


def plan(
    context: AccountContext,
    file: Path | None = None,
    *,
    announced: tuple[OutsideAction, ...] = (),
) -> Review:
    """Plan what ``apply`` would do.

    Args:
        file: where the plan is saved; a refused one is not kept.
        announced: what the caller would change outside Terraform besides.

    Raises:
        Refused: AWS has something that is not ours to take, is not ready, or would deliver nothing.
    """
    account = steps.identify(context)
    with context.locked():
        prepared = steps.prepare(context, account, registering=True)
        made = make(context, prepared, file, announced=announced)
        context.octo.ledger.note_planned(account, context.account_name)
    return made


def make(
    context: AccountContext,
    prepared: Prepared,
    file: Path | None = None,
    *,
    announced: tuple[OutsideAction, ...] = (),
) -> Review:
    """Plan with Terraform, twice where AWS has what it would create; the guard judges the plan.

    Args:
        announced: what the caller changes outside Terraform besides, after consent.
    """
    edits = state_edits(context, prepared)
    made = run_terraform(context, prepared, (file or context.plan_file).absolute(), edits)
    check_billing(prepared.account, made)
    check_rotation(context, made)
    outside = in_order((*announced, *outside_actions(context, prepared, edits)))
    plan_file.attach(made.file, outside)
    return _reviewed(context, prepared, made, outside)


def load(context: AccountContext, prepared: Prepared, file: Path) -> Review:
    """Read a saved plan, and make sure that what it was made from has not changed.

    Raises:
        PlanRefused: it was made from something else, does not announce what must be done, or AWS
            has changed since.
        EngineError: it is no plan.
    """
    with context.events.step("plan", "Reading the plan"):
        made_from = plan_file.read(file)
        made = prepared.terraform.show(file)
        check_billing(prepared.account, made)
        root = prepared.root
        if ids := made.inputs.get("import_ids"):
            root = render.importing(root, ids)
            render.write(root, context.folder)
        edits = state_edits(context, prepared)
        provenance.check(
            made,
            made_from,
            registration=context.registration,
            root=root,
            lock_file=prepared.terraform.lock_file,
            state=prepared.terraform.state_version(edits),
        )
    needed = outside_actions(context, prepared, edits)
    provenance.check_announced(file, made_from.outside, needed)
    check_against_aws(context, prepared, made, edits)
    return _reviewed(context, prepared, made, needed)


def run_terraform(
    context: AccountContext, prepared: Prepared, file: Path, edits: tuple[StateEdit, ...] = ()
) -> Plan:
    """Have Terraform plan; what exists in AWS already is imported by a second plan.

    With ``edits`` the plan is made from an edited copy of the state: it shows what will be planned
    once the edits are made, and cannot be applied before.

    Raises:
        Refused: what exists is not ours to take; the plan is gone.
    """
    terraform = prepared.terraform
    with context.events.step("plan", "Planning"):
        made = steps.run_plan(context, prepared, file, edits)
    if not made.changes or made.undestroyable:
        return made
    shown: list[Plan] = []

    def values() -> Plan:
        if not shown:
            shown.append(_with_values(made, terraform.show(made.file)))
        return shown[0]

    rules = replace(
        context.settings.imports,
        unfinished=journal.addresses(context.folder) | own_bucket.kept(context),
        contested=journal.contested(context.folder),
    )
    try:
        ids = context.cloud.find_existing(made, rules, read=lambda: values().planned)
    except BaseException:
        made.file.unlink(missing_ok=True)  # applying it would fail partway
        raise
    if not ids:
        return shown[0] if shown else made
    is_lost = any(edit.kind == "set_aside" for edit in edits)
    if not (rules.adopting or is_lost or ids.keys() & rules.unfinished):
        context.events.warn(
            "AWS has some of these resources, just as they would be created, and this folder's"
            " state does not: they would be imported. If another working folder's state has them,"
            " go on there instead: two states must not own the same resources."
        )
    render.write(render.importing(prepared.root, ids), context.folder)
    with context.events.step("plan_imports", "Planning with existing resources"):
        return steps.run_plan(context, prepared, file, edits)


def check_against_aws(
    context: AccountContext, prepared: Prepared, reviewed: Plan, edits: tuple[StateEdit, ...]
) -> None:
    """Compare a new plan with the reviewed one, which Terraform would apply without reading AWS.

    Raises:
        PlanRefused: a resource that the plan changes, a role or the bucket's policy has changed.
    """
    with context.events.step("plan_drift", "Reading what AWS has now"):
        now = steps.run_plan(context, prepared, context.plan_file, edits)
        if not now.undestroyable:
            now = prepared.terraform.show(now.file)
            context.plan_file.unlink()
    before, after = (list(PlannedRoles(context, plan).repairs()) for plan in (reviewed, now))
    repairs = [f"{r.role or r.address}: {r.sentence}" for r in after if r not in before]
    for address, what in provenance.check_drift(reviewed, now, repairs).items():
        context.events.warn(
            f"{address} has changed in AWS since the plan was made ({what}); the plan leaves it as"
            " it is: run octo-tf plan afterwards."
        )


def _with_values(made: Plan, shown: Plan) -> Plan:
    return replace(made, resources=shown.resources, outputs_applied=shown.outputs_applied)


def check_unchanged(context: AccountContext, consented: Plan, second: Plan) -> None:
    """Check that the plan made after the state edits has the changes that were consented to.

    Raises:
        PlanRefused: it shows something else.
    """
    if {(c.address, c.action) for c in second.changes} != {
        (c.address, c.action) for c in consented.changes
    }:
        raise PlanRefused(
            "after the state was edited as announced, Terraform plans something else than what was"
            " consented to; the plan was not applied",
            where=str(context.folder),
            hint="Run the same command again: it shows the new plan.",
        )


def check_billing(account: Account, made: Plan) -> None:
    """Refuse to create a report where billing is transferred; the plan file is deleted.

    A registration that has a report already continues; a warning says what is no longer delivered.

    Raises:
        Refused: AWS would never deliver the report.
    """
    creates = any(
        change.type == REPORT and change.action in ("create", "replace") for change in made.changes
    )
    if account.billing.paid_by and creates:
        made.file.unlink(missing_ok=True)
        steps.refuse_report(account)


def check_rotation(context: AccountContext, made: Plan) -> None:
    """Refuse to end a rotation of the external id unnoticed; the plan file is deleted.

    Raises:
        Refused: the roles accept two ids, as the state has it, and octo.yaml names one.
    """
    ends = context.settings.retired_ids is not None
    if ends or context.registration.accepted_external_ids or not made.file.is_file():
        return
    applied = plan_file.read(made.file).applied_outputs.get("api_access") or {}
    if applied.get("external_id_count", 1) > 1:
        made.file.unlink()
        raise Refused(
            "the roles accept two external ids while Octo's is being changed, and octo.yaml has no"
            " external_id_rotation: the plan would drop one",
            where=context.registration.account_id,
            hint="Use the octo.yaml with which the rotation was begun, or end it: octo-tf"
            " rotate-external-id with the id that Octo presents.",
        )


def state_edits(context: AccountContext, prepared: Prepared) -> tuple[StateEdit, ...]:
    """Decide what the state must be changed in before Terraform may plan.

    A state that is unreadable, after a full disk or a crash, is moved aside: what exists in AWS is
    imported. One that Terraform could not save in its backend is saved there.

    Terraform would replace a role, a bucket or another protected resource whose creation was
    interrupted or failed in part (it is tainted): it is kept in AWS, and brought in line by the
    plan. It would destroy a StackSet target that octo.yaml replaced by another with the same
    accounts: the role must not vanish from accounts that are still wanted. Such a target is kept
    too, and its accounts are brought in line one by one.
    """
    edits = [*prepared.terraform.recovery()]
    is_local = context.registration.backend.type == "local"
    known = prepared.terraform.resources(*guard.PROTECTED, here_only=is_local, edits=edits)
    linked = prepared.linked
    if prepared.account.account_type == "payer":
        steps.check_region(context, known)
    for resource in known:
        if resource.type == TARGET and linked is None:
            continue  # octo.yaml has no StackSet: it is taken down as it is
        if linked and _is_replaced(resource, linked):
            edits.append(StateEdit("forget", resource.address))
        elif resource.tainted and resource.address not in context.settings.allow_destroy:
            edits.append(StateEdit("untaint", resource.address))
    return tuple(edits)


def _is_replaced(resource: StateResource, linked: LinkedAccounts) -> bool:
    """Tell whether a resource is a target no longer, and other targets have its accounts."""
    return (
        resource.type == TARGET
        and resource.key not in linked.targets
        and bool(linked.organization.overlap(resource.key, linked.targets))
    )


def outside_actions(
    context: AccountContext, prepared: Prepared, edits: tuple[StateEdit, ...]
) -> tuple[OutsideAction, ...]:
    """List what applying changes outside Terraform, in the order in which it is done."""
    account_id = prepared.account.account_id
    actions = []
    if registering := _registering(context, prepared):
        actions.append(registering)
    if prepared.lacks_access:
        actions.append(
            OutsideAction(
                TRUSTED_ACCESS,
                account_id,
                "Switch on CloudFormation's trusted access to the organization.",
            )
        )
    texts = {
        "forget": (FORGET, "other targets have its accounts: remove it from the state only"),
        "untaint": (UNTAINT, "its creation was interrupted: keep it instead of replacing it"),
        "set_aside": (SET_ASIDE, "it is unreadable: move it aside, and import what exists"),
        "push": (PUSH, "Terraform could not save it in its backend: save it there"),
    }
    for edit in edits:
        code, why = texts[edit.kind]
        actions.append(OutsideAction(code, edit.address, f"State: {edit.address}: {why}."))
    return in_order((*actions, *enrolling.planned(context, prepared.account)))


def _registering(context: AccountContext, prepared: Prepared) -> OutsideAction | None:
    """Tell whether applying registers the account with Octo; None if it is registered."""
    account_id = prepared.account.account_id
    record = context.octo.ledger.account(account_id)
    since = f" (it left on {record.left_at[:10]})" if record and record.left_at else ""
    leavers = context.octo.linked.left_with(account_id) if prepared.linked else {}
    if prepared.registered is None:
        text = f"Octo: registered on apply if credentials are given{since}."
        return OutsideAction(REGISTER, account_id, text, conditional=True)
    if not prepared.registered:
        also = f", and {count(leavers)} that left with it" if leavers else ""
        text = f"Register account {account_id} with Octo{since}{also}."
        return OutsideAction(REGISTER, account_id, text)
    if leavers and context.octo.api is not None:
        text = f"Register {count(leavers)} with Octo again (unregistered earlier by --with-linked)."
        return OutsideAction(REGISTER, account_id, text)
    return None


def _reviewed(
    context: AccountContext, prepared: Prepared, made: Plan, outside: tuple[OutsideAction, ...]
) -> Review:
    linked = prepared.linked
    if made.changes and not made.undestroyable and not made.resources:
        made = _with_values(made, prepared.terraform.show(made.file))
    shown = review(
        made,
        prepared.account,
        context.account_name,
        allow_destroy=context.settings.allow_destroy,
        accepted=context.registration.accept or (),
        linked=deployments.pending(linked) if linked else None,
        outside=outside,
        effects=effects.of(context, prepared, made),
    )
    if not shown.verdict.allowed:
        made.file.unlink(missing_ok=True)  # nobody shall apply it by hand
    context.events.emit(PlanMade(shown))
    return shown
