"""Plan what destroy deletes and what it keeps: Terraform's plan and the changes outside it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from orchestrator.app import enrolling, steps
from orchestrator.app.console import leaving as console
from orchestrator.app.console.flow import flow_of
from orchestrator.app.console.leaving import StackToDelete
from orchestrator.app.context import AccountContext
from orchestrator.app.events import PlanMade
from orchestrator.app.own_bucket import BUCKET, Bucket, find
from orchestrator.app.review import Review
from orchestrator.app.steps import Prepared
from orchestrator.errors import ConfigError, Refused
from orchestrator.model.account import Account
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract import octo_names
from orchestrator.model.outside_action import (
    DELETE_BUCKET,
    KEEP_BUCKET,
    REMOVE_ACCOUNTS,
    UNREGISTER,
    OutsideAction,
    in_order,
)
from orchestrator.model.version_constraint import Constraint
from orchestrator.octo.departure import Departure, count, named
from orchestrator.stackset.deployments import PendingDeployments
from orchestrator.terraform import guard, journal, render
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import STACKSET, TARGET, StateEdit, StateResource

_REPORT = "module.octo.aws_cur_report_definition.cur[0]"  # Terraform's prevent_destroy protects it
# The protected resource types that destroy may delete: not the bucket, nor its policy.
_LEAVES = {"aws_iam_role", "aws_cur_report_definition", STACKSET}


@dataclass(frozen=True)
class Request:
    """The options of ``octo-tf destroy``.

    Attributes:
        keep_linked_roles: whether linked accounts keep the role that the StackSet made.
        delete_bucket: whether the bucket is deleted.
        delete_data: whether it is deleted with objects in it.
        with_enrolments: whether the enrolments in AWS services that octo-tf made are ended.
    """

    keep_linked_roles: bool = False
    delete_bucket: bool = False
    delete_data: bool = False
    with_enrolments: bool = False


@dataclass(frozen=True)
class Leaving:
    """The plan by which an account leaves Octo.

    Attributes:
        review: the plan.
        departure: what Octo forgets.
        stays: what stays in AWS and in Octo, one sentence each.
        bucket: octo-tf's own bucket; None if there is none.
        stacks: stacks that the user deletes first, in order; then nothing else is done.
        linked: the payer's linked accounts; None without a StackSet.
        edits: what is removed from the state, and stays in AWS or is deleted otherwise.
        prepared: the root folder; None where stacks made the resources.
    """

    review: Review
    departure: Departure
    stays: tuple[str, ...] = ()
    bucket: Bucket | None = None
    stacks: tuple[StackToDelete, ...] = ()
    linked: LinkedAccounts | None = None
    edits: tuple[StateEdit, ...] = ()
    prepared: Prepared | None = field(default=None, repr=False)


def prepare(context: AccountContext, account: Account, request: Request) -> Leaving:
    """Find out what leaves and what stays, and plan it."""
    step = context.events.step("octo", "Asking Octo")
    with step if context.octo.api else nullcontext():
        known = context.octo.describe_departure(account.account_id)
    record = context.octo.record(account.account_id)
    if record is not None and record.method == "console":
        return _made_by_stacks(context, account, known, request)
    prepared = render_root(context, account)
    there = prepared.terraform.resources()
    steps.check_region(context, there)
    linked = observe_linked_accounts(context, there)
    carried = sorted(linked.deployed.instances) if linked and linked.deployed else []
    departure = _departure(context, known, carried)
    bucket = find(context, there, delete=request.delete_bucket, with_data=request.delete_data)
    edits = tuple(
        StateEdit("forget", resource.address)
        for resource in there
        if resource.type.startswith(BUCKET) or resource.type == TARGET
    )
    made = run_terraform(context, prepared, edits) if there else Plan(context.plan_file, (), False)
    actions = [*_unregistering(context, account, departure)]
    if carried:
        actions.append(_removing(context, carried, keep=request.keep_linked_roles))
    if bucket and bucket.is_deleted:
        also = " and all data in it" if bucket.with_data else ""
        actions.append(OutsideAction(DELETE_BUCKET, bucket.name, f"Delete {bucket.name}{also}."))
    elif of_bucket := [r for r in there if r.type.startswith(BUCKET)]:
        name = bucket.name if bucket else context.registration.cur_s3_bucket_name or "that is gone"
        resources = "1 resource" if len(of_bucket) == 1 else f"{len(of_bucket)} resources"
        text = f"Keep the bucket {name} as it is: remove it from the state only ({resources})."
        actions.append(OutsideAction(KEEP_BUCKET, name, text))
    ended, enrolled = enrolling.ending(context, account, chosen=request.with_enrolments)
    actions += ended
    allowed = {c.address for c in made.changes if c.action == "delete" and c.type in _LEAVES}
    review = _reviewed(context, account, made, actions, carried, allowed)
    stays = [*_kept_bucket(context, account, bucket)]
    stays += _kept_roles(linked, keep=request.keep_linked_roles) if linked else []
    stays += enrolled
    stays += _kept_in_octo(context, known, departure)
    return Leaving(review, departure, tuple(stays), bucket, (), linked, edits, prepared)


def render_root(context: AccountContext, account: Account) -> Prepared:
    """Render the root without ``prevent_destroy`` on the report, and initialize Terraform.

    Raises:
        Refused: the state is unreadable, or was not saved.
    """
    lifted = replace(context.settings, allow_destroy=frozenset({_REPORT}))
    context = replace(context, settings=lifted)
    secret = steps.decide_external_id(context)
    terraform = context.open_terraform(secret)
    terraform.check_lock(Constraint.parse(context.registration.provider_version))
    deploys = context.registration.use_stackset and account.account_type == "payer"
    targets = context.cloud.targets() if deploys else None
    # Terraform is not to read an existing report, which may be gone; it destroys none either.
    report = {"cur_report_option": "CREATE_NEW"}
    root = steps.render_root(context, account, secret, targets, report=report)
    render.write(root, context.folder)
    steps.initialize(context, terraform, root)
    if terraform.recovery():
        raise Refused(
            "the state is unreadable or was not saved, so it does not say what is to be destroyed",
            where=str(context.folder),
            hint="Run octo-tf apply, which repairs the state. Then run octo-tf destroy.",
        )
    if journal.addresses(context.folder):
        context.events.warn(
            "An earlier apply did not end: what it made and could not record stays. octo-tf"
            " discover shows it."
        )
    return Prepared(account, secret, None, False, root, terraform)


def observe_linked_accounts(
    context: AccountContext, there: Collection[StateResource]
) -> LinkedAccounts | None:
    """Read the StackSet in the state, with its stack instances; None if there is none.

    Raises:
        Refused: octo.yaml names another StackSet.
    """
    for resource in (r for r in there if r.type == STACKSET):
        name = resource.arn.rpartition("stackset/")[2].partition(":")[0]
        if name and name != context.cloud.stackset_name:
            raise Refused(
                f"the StackSet of this registration is {name}, not {context.cloud.stackset_name}",
                where=resource.address,
                hint=f"Set stackset_name: {name}.",
            )
        with context.events.step("organization", "Reading the organization"):
            return context.cloud.observe_linked_accounts()
    return None


def run_terraform(
    context: AccountContext, prepared: Prepared, edits: tuple[StateEdit, ...] = ()
) -> Plan:
    """Plan to destroy; with ``edits`` as if they were made in the state, which cannot be applied.

    Raises:
        EngineError: Terraform failed.
    """
    file, terraform = context.plan_file, prepared.terraform
    wanted = Constraint.parse(context.registration.provider_version)
    with context.events.step("plan", "Planning"):
        if edits:
            return terraform.preview(file, edits, provider_version=wanted, destroy=True)
        return terraform.plan(file, destroy=True)


def _made_by_stacks(
    context: AccountContext, account: Account, known: Departure, request: Request
) -> Leaving:
    if request != Request():
        raise ConfigError(
            "stacks of the AWS console made this account's resources: they are deleted there",
            where=next(
                "--" + name.replace("_", "-") for name, given in vars(request).items() if given
            ),
            hint="Leave the option out: octo-tf destroy lists the stacks, and what they retain.",
        )
    flow = flow_of(context, account)
    with context.events.step("stacks", "Reading the stacks"):
        stacks = console.stacks_to_delete(flow)
        stays = console.stays(flow)
    departure = _departure(context, known, ())
    actions = [] if stacks else _unregistering(context, account, departure)
    review = _reviewed(context, account, Plan(context.plan_file, (), False), actions)
    stays += _kept_in_octo(context, known, departure)
    return Leaving(review, departure, tuple(stays), stacks=stacks)


def _departure(context: AccountContext, known: Departure, carried: Collection[str]) -> Departure:
    """Keep only the linked accounts that the StackSet reaches, or that the ledger has noted."""
    noted = {a for a, r in context.octo.records().items() if r.account_type == "linked"}
    linked = {a: name for a, name in known.linked.items() if a in noted | {*carried}}
    return replace(known, linked=linked)


def _unregistering(
    context: AccountContext, account: Account, departure: Departure
) -> list[OutsideAction]:
    account_id = account.account_id
    if context.octo.api is None:
        text = "Octo: the account is unregistered only if credentials are given."
        return [OutsideAction(UNREGISTER, account_id, text, conditional=True)]
    who = [f"account {account_id}"] if departure.is_known else []
    who += [named(departure.linked)] if departure.linked else []
    text = f"Unregister {' and '.join(who)} from Octo."
    return [OutsideAction(UNREGISTER, account_id, text)] if who else []


def _removing(context: AccountContext, carried: list[str], *, keep: bool) -> OutsideAction:
    fate = "stays" if keep else "is deleted"
    text = f"Take {count(carried)} out of the StackSet: the role {octo_names.API_ROLE} {fate}."
    return OutsideAction(REMOVE_ACCOUNTS, context.cloud.stackset_name, text)


def _reviewed(
    context: AccountContext,
    account: Account,
    made: Plan,
    actions: Collection[OutsideAction],
    carried: Collection[str] = (),
    allowed: Collection[str] = (),
) -> Review:
    review = Review(
        made,
        guard.judge(made, allow_destroy=allowed),
        account.account_id,
        context.registration.account_name or "",
        account.account_type,
        PendingDeployments(remove=tuple(carried)),
        in_order(tuple(actions)),
    )
    context.events.emit(PlanMade(review))
    return review


def _kept_bucket(context: AccountContext, account: Account, bucket: Bucket | None) -> list[str]:
    if bucket is not None:
        return [] if bucket.is_deleted else [f"The bucket {bucket.name} with its data."]
    registration = context.registration
    if account.account_type == "linked":
        return []
    if registration.cur_report_option == "USE_EXISTING":
        name = f" {registration.cur_report_name}" if registration.cur_report_name else ""
        return [f"The report{name} and its bucket, which were there before."]
    if registration.cur_s3_bucket_option != "USE_EXISTING":
        return []
    statements = "its statements OctoTfCurDeliveryLooks and OctoTfCurDeliveryWrites have no use now"
    merged = f", with its policy: {statements}" if registration.cur_s3_bucket_merge_policy else ""
    return [f"The bucket {registration.cur_s3_bucket_name}{merged}."]


def _kept_roles(linked: LinkedAccounts, *, keep: bool) -> list[str]:
    instances = linked.deployed.instances if linked.deployed else {}
    stacks = {account_id for account_id, instance in instances.items() if instance.has_stack}
    if keep:
        return [f"The role {octo_names.API_ROLE} in {count(stacks)}."] if stacks else []
    closed = stacks & {m.account_id for m in linked.organization.members if not m.active}
    return [f"The stacks in closed accounts: {', '.join(sorted(closed))}."] if closed else []


def _kept_in_octo(context: AccountContext, known: Departure, departure: Departure) -> list[str]:
    if context.octo.api is None:
        return [
            "The account in Octo: remove it there, or run octo-tf destroy again with"
            " credentials for Octo's API."
        ]
    others = {a: name for a, name in known.linked.items() if a not in departure.linked}
    if not others:
        return []
    return [
        f"In Octo, {named(others)}: the StackSet did not reach them. Run octo-tf destroy for each,"
        " or octo-tf unregister --with-linked."
    ]
