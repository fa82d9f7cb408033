"""Apply: the whole route of a registration, from octo.yaml to *Confirm and Finish*.

    identify → external id → organization → render → init → plan → guard → CONSENT
        → register with Octo, trusted access, state → apply that plan → single linked accounts
        → enrol in AWS services → verify → confirm

Nothing is changed before consent but the files of the root folder. Read this file first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.app import deploying, enrolling, steps
from orchestrator.app import plan as planning
from orchestrator.app.confirm import confirm
from orchestrator.app.context import AccountContext
from orchestrator.app.deploying import LinkedRegistrar
from orchestrator.app.early_verification import EarlyVerification
from orchestrator.app.review import Review
from orchestrator.app.steps import Prepared
from orchestrator.app.verify import check
from orchestrator.model.module_contract.outputs import Outputs, parse_outputs
from orchestrator.model.outside_action import (
    FORGET,
    OF_THE_STATE,
    PUSH,
    REGISTER,
    SET_ASIDE,
    TRUSTED_ACCESS,
    UNTAINT,
    OutsideAction,
)
from orchestrator.stackset.deployments import OnProgress
from orchestrator.terraform import journal, plan_file
from orchestrator.terraform.failures import AlreadyExists
from orchestrator.terraform.plan import Plan
from orchestrator.verify.model import Report
from orchestrator.verify.runner import SETTLE_SECONDS

Consent = Callable[[Review], None]  # is shown the plan; raises where the user does not agree
# What makes an announced change, by the action's code.
CarryOut = Mapping[str, Callable[[OutsideAction], object]]


@dataclass(frozen=True)
class Applied:
    """What an apply did: the plan, and the verification with Octo's answers."""

    review: Review
    report: Report


def apply(context: AccountContext, *, consent: Consent, saved_plan: Path | None = None) -> Applied:
    """Register one account, prove the registration, and have Octo confirm it.

    Args:
        consent: asked before anything is changed, if there are changes.
        saved_plan: a plan made earlier; None makes one.

    Raises:
        PlanRefused: the guard refuses the plan, or it was made from something else.
        OctoError: Octo refuses the account; nothing was changed in AWS.
        EngineError: Terraform failed; the next run goes on.
    """
    account = steps.identify(context)
    with context.locked():
        prepared = steps.prepare(context, account, registering=True)
        return apply_prepared(context, prepared, consent=consent, saved_plan=saved_plan)


def apply_prepared(
    context: AccountContext,
    prepared: Prepared,
    *,
    consent: Consent,
    saved_plan: Path | None = None,
    announced: tuple[OutsideAction, ...] = (),
    carry_out: CarryOut | None = None,
) -> Applied:
    """Go the route from the plan on.

    Args:
        consent: asked before anything is changed, if there are changes.
        saved_plan: a plan made earlier; None makes one.
        announced: changes outside Terraform that the caller adds to the plan.
        carry_out: makes those of them that come before Terraform's apply; the caller itself makes
            the others.
    """
    known = prepared.terraform.local_outputs() if saved_plan is None else {}
    early = EarlyVerification(
        known,
        lambda values: check(
            context, prepared, _outputs(context, values), shown=False, unchanged=True
        ),
    )
    try:
        review = (
            planning.make(context, prepared, announced=announced)
            if saved_plan is None
            else planning.load(context, prepared, saved_plan.absolute())
        )
        review.verdict.enforce()
        if review.has_changes:
            consent(review)
        with LinkedRegistrar(context, prepared.linked) as registrar:
            final = change_outside(context, prepared, review, registrar, carry_out or {})
            values = apply_plan(context, prepared, final, registrar.take)
            deploying.wait_for_deployments(context, prepared.linked, registrar.take)
            deploying.deploy_consented(context, prepared, review.linked, registrar)
    finally:
        context.plan_file.unlink(missing_ok=True)  # it holds the inputs, and is used up
    context.octo.ledger.note_applied(prepared.account, context.account_name)
    enrolling.carry_out(context, prepared.account, review.outside)
    report = None if review.has_changes else early.report(values)
    if report is None:
        report = check(
            context,
            prepared,
            _outputs(context, values),
            wait_seconds=context.settings.wait_seconds,
            settle_seconds=SETTLE_SECONDS if review.has_changes else 0.0,
        )
    may_register = REGISTER in {action.code for action in review.outside}
    return Applied(review, confirm(context, prepared.account, report, may_register=may_register))


def change_outside(
    context: AccountContext,
    prepared: Prepared,
    review: Review,
    registrar: LinkedRegistrar,
    carry_out: CarryOut,
) -> Plan:
    """Make the changes outside Terraform that come before its apply, in the order of the plan.

    Args:
        registrar: takes the progress of deployments that are waited for.
        carry_out: makes the changes that the caller announced, by their code.

    Returns:
        The plan to apply: the reviewed one, or one that shows the same after the state was edited.

    Raises:
        OctoError: Octo refuses the account; nothing was changed but octo.yaml.
        PlanRefused: once the state was edited, Terraform plans something else.
    """
    account, terraform = prepared.account, prepared.terraform

    def register(_action: OutsideAction) -> None:
        if context.octo.api is not None:
            with context.events.step("register", "Registering with Octo"):
                context.octo.register(account, context.account_name)

    def switch_on_trusted_access(_action: OutsideAction) -> None:
        with context.events.step("trusted_access", "Switching on trusted access"):
            context.cloud.switch_on_trusted_access(account.account_id)

    def set_aside(action: OutsideAction) -> None:
        kept = terraform.set_aside(action.subject)
        context.events.note(f"  {action.subject} is kept as {kept.name}")

    handlers: CarryOut = {
        REGISTER: register,
        TRUSTED_ACCESS: switch_on_trusted_access,
        FORGET: lambda action: terraform.forget(action.subject),
        UNTAINT: lambda action: terraform.untaint(action.subject),
        SET_ASIDE: set_aside,
        PUSH: lambda action: terraform.push(action.subject),
        **carry_out,
    }
    edits = [a for a in review.outside if a.code in OF_THE_STATE]
    for action in review.outside:
        if edits and action is edits[0]:
            deploying.wait_for_deployments(context, prepared.linked, registrar.take)
        if not action.after_apply:
            handlers[action.code](action)
    if not edits:
        return review.plan
    if any(action.code == SET_ASIDE for action in edits):
        # init does not start over an unreadable state
        steps.initialize(context, terraform, prepared.root)
    second = planning.run_terraform(context, prepared, context.plan_file)
    planning.check_unchanged(context, review.plan, second)
    return second


def apply_plan(
    context: AccountContext, prepared: Prepared, plan: Plan, on_progress: OnProgress
) -> dict[str, Any]:
    """Apply that very plan; a plan without changes is only read.

    Returns:
        The root's outputs.

    Raises:
        AlreadyExists: a resource to create exists already; the next run decides whose it is.
        EngineError: Terraform failed; what was done is in its state.
    """
    if not plan.has_changes:
        return plan_file.read(plan.file).outputs  # spares a start of Terraform
    journal.begin(context.folder, plan)
    with (
        context.events.step("apply", "Applying"),
        deploying.watching(context, plan, prepared.linked, on_progress),
    ):
        try:
            values = prepared.terraform.apply_plan(plan.file)
        except AlreadyExists as error:
            journal.contest(context.folder, error.addresses)
            raise
    journal.end(context.folder)
    return values


def _outputs(context: AccountContext, values: Mapping[str, Any]) -> Outputs:
    return parse_outputs(values, context.registration.account_id)
