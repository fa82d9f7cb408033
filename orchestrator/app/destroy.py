"""Destroy: an account leaves; the mirror of apply.

    identify → Octo, state, linked accounts → plan to destroy → guard → CONSENT
        → stack instances → state (what stays in AWS leaves it) → apply that plan → enrolments
        → bucket → Octo

The bucket stays unless its deletion is requested. Completed steps are visible in the state, AWS and
Octo, so the same command continues after an interruption. Before consent, only files in the root
folder are written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from orchestrator.app import enrolling, own_bucket, steps
from orchestrator.app import leaving as describing
from orchestrator.app import plan as planning
from orchestrator.app.apply import apply_plan
from orchestrator.app.context import AccountContext
from orchestrator.app.deploying import report_progress, wait_for_deployments
from orchestrator.app.leaving import Leaving
from orchestrator.app.own_bucket import Bucket
from orchestrator.app.owned import Owned, Request
from orchestrator.errors import AwsError
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.octo.departure import Departure, count
from orchestrator.terraform.plan import Plan

Consent = Callable[[Leaving], None]  # is shown the plan; raises where the user does not agree


def plan(context: AccountContext, request: Request) -> Leaving:
    """Plan what ``destroy`` would do; nothing is changed, and the plan is not kept.

    Raises:
        Refused: see ``leaving.prepare``.
    """
    account = steps.identify(context, registering=False)
    with context.locked():
        leaving = describing.prepare(context, account, request)
    context.plan_file.unlink(missing_ok=True)
    return leaving


def destroy(context: AccountContext, request: Request, *, consent: Consent) -> Leaving:
    """Delete what was created in AWS for Octo, then unregister the account.

    Raises:
        Refused: see ``leaving.prepare``; or the guard refuses the plan.
        EngineError: Terraform failed; the next run goes on.
        AwsError: a linked account keeps its stack; the next run goes on.
        OctoError: Octo refuses; the next run goes on.
    """
    account = steps.identify(context, registering=False)
    with context.locked():
        leaving = describing.prepare(context, account, request)
        try:
            leaving.review.verdict.enforce()
            if leaving.stacks or not leaving.review.has_changes:
                return leaving
            consent(leaving)
            name = context.account_name
            keeps_role = leaving.owned.keeps_role if leaving.owned else ()
            context.octo.ledger.note_destroying(account, name, keeps_role)
            if leaving.owned is not None:
                remove_accounts(context, leaving.owned.linked, retain=request.keep_linked_roles)
                destroy_resources(context, leaving.owned, leaving.review.plan)
            context.octo.ledger.note_destroyed(_destroyed(leaving, keeps_role))
            enrolling.end(context, account, leaving.review.outside)
            delete_bucket(context, leaving.bucket)
            unregister(context, leaving.departure)
        finally:
            context.plan_file.unlink(missing_ok=True)
    return leaving


def remove_accounts(
    context: AccountContext, linked: LinkedAccounts | None, *, retain: bool
) -> None:
    """Take every linked account out of the StackSet, once running operations have ended.

    Raises:
        AwsError: an account keeps its stack; each is named with AWS's reason.
    """
    if linked is None:
        return
    progress = report_progress(context)
    wait_for_deployments(context, linked, progress)
    now = context.cloud.observe_linked_accounts(linked.organization)
    if now.deployed is None or not now.deployed.instances:
        return
    with context.events.step("remove_accounts", "Removing linked accounts"):
        context.cloud.delete_stacks(now, retain=retain, on_progress=progress)
        left = context.cloud.observe_linked_accounts(linked.organization).deployed
    if left and left.instances:
        raise AwsError(
            f"{count(left.instances)} could not be removed from the StackSet:\n"
            + "\n".join(f"  {a}: {i.reason or i.status}" for a, i in left.instances.items()),
            where=f"StackSet {context.cloud.stackset_name}",
            hint="Solve the cause and run the same command again, or give --keep-linked-roles: the"
            " role then stays in linked accounts.",
        )


def destroy_resources(context: AccountContext, owned: Owned, made: Plan) -> None:
    """Remove from the state what Terraform is not to destroy, then apply the plan.

    Raises:
        PlanRefused: once the state was edited, Terraform plans something else.
    """
    prepared = owned.prepared
    if owned.edits:
        if owned.bucket is not None:
            own_bucket.note(context.folder, owned.bucket.name)
        prepared.terraform.forget(*(edit.address for edit in owned.edits))
        second = describing.run_terraform(context, prepared)
        planning.check_unchanged(context, made, second)
        made = second
    if made.has_changes:
        apply_plan(context, prepared, made, report_progress(context))


def delete_bucket(context: AccountContext, bucket: Bucket | None) -> None:
    """Delete the bucket if that was consented to; AWS no longer delivers to it."""
    if bucket is None or not bucket.is_deleted:
        return
    with context.events.step("delete_bucket", "Deleting the bucket"):
        context.cloud.delete_bucket(bucket.name, bucket.region, with_data=bucket.with_data)
    own_bucket.forget(context.folder)


def unregister(context: AccountContext, departure: Departure) -> None:
    """Have Octo forget the account and the linked accounts of its StackSet."""
    if context.octo.api is None:
        return
    with context.events.step("unregister", "Unregistering"):
        context.octo.unregister(departure, with_linked=True)


def _destroyed(leaving: Leaving, keeps_role: Collection[str]) -> set[str]:
    """Return the accounts whose resources are gone, including those gone since an earlier run."""
    linked = {*leaving.review.linked.remove, *leaving.departure.linked}
    return {leaving.review.account_id} | (linked - {*keeps_role})
