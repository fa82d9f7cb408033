"""Plan what destroy deletes and what it keeps: Terraform's plan and the changes outside it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from orchestrator.app import enrolling, owned, staying, steps
from orchestrator.app.console import leaving as console
from orchestrator.app.console.flow import flow_of
from orchestrator.app.console.leaving import StackToDelete
from orchestrator.app.context import AccountContext
from orchestrator.app.events import PlanMade
from orchestrator.app.own_bucket import Bucket
from orchestrator.app.owned import Owned, Request
from orchestrator.app.review import Review, review
from orchestrator.app.steps import Prepared
from orchestrator.errors import ConfigError
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
from orchestrator.model.words import counted
from orchestrator.octo.departure import Departure, count, named
from orchestrator.stackset.deployments import PendingDeployments
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import REPORT, STACKSET, StateEdit

# The protected resource types that destroy may delete: not the bucket, nor its policy.
_LEAVES = {"aws_iam_role", REPORT, STACKSET}


@dataclass(frozen=True)
class Leaving:
    """The plan by which an account leaves Octo.

    Attributes:
        stays: what stays in AWS and in Octo, one sentence each.
        stacks: stacks that the user deletes first, in order; then nothing else is done.
        owned: what octo-tf made; None where stacks made the resources.
    """

    review: Review
    departure: Departure
    stays: tuple[str, ...] = ()
    stacks: tuple[StackToDelete, ...] = ()
    owned: Owned | None = field(default=None, repr=False)

    @property
    def bucket(self) -> Bucket | None:
        """octo-tf's own bucket; None if there is none."""
        return self.owned.bucket if self.owned else None


def prepare(context: AccountContext, account: Account, request: Request) -> Leaving:
    """Find out what leaves and what stays, and plan it; nothing is changed.

    Raises:
        Refused: AWS has resources for Octo that the state does not have, a policy of the
            organization keeps linked accounts from losing the role, or the bucket may not be
            deleted.
    """
    step = context.events.step("octo", "Asking Octo")
    with step if context.octo.api else nullcontext():
        known = context.octo.describe_departure(account.account_id)
    record = context.octo.ledger.account(account.account_id)
    if record is not None and record.method == "console":
        return _made_by_stacks(context, account, known, request)
    made = owned.observe(context, account, request)
    departure = _departure(context, known, made.linked)
    plan = Plan(context.plan_file, (), False)
    if made.state:
        plan = run_terraform(context, made.prepared, made.edits)
    ended, enrolled = enrolling.ending(context, account, chosen=request.with_enrolments)
    actions = [
        *_unregistering(context, account, departure),
        *_removing(context, made, keep=request.keep_linked_roles),
        *_of_bucket(made),
        *ended,
    ]
    allowed = {c.address for c in plan.changes if c.action == "delete" and c.type in _LEAVES}
    stays = (
        *staying.bucket(context, account, made.bucket, made.state),
        *staying.linked_roles(made.linked, made.keeps_role),
        *enrolled,
        *staying.in_octo(context, known, departure, made.linked),
    )
    shown = _reviewed(context, account, plan, actions, made.reached, allowed)
    return Leaving(shown, departure, stays, owned=made)


def run_terraform(
    context: AccountContext, prepared: Prepared, edits: tuple[StateEdit, ...] = ()
) -> Plan:
    """Plan to destroy what the state has; see ``steps.run_plan``."""
    with context.events.step("plan", "Planning"):
        return steps.run_plan(context, prepared, context.plan_file, edits, destroy=True)


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
    departure = _departure(context, known, None)
    actions = [] if stacks else _unregistering(context, account, departure)
    shown = _reviewed(context, account, Plan(context.plan_file, (), False), actions)
    stays += staying.in_octo(context, known, departure, None)
    return Leaving(shown, departure, tuple(stays), stacks=stacks)


def _departure(
    context: AccountContext, known: Departure, linked: LinkedAccounts | None
) -> Departure:
    """Keep only the linked accounts that the StackSet has, or that the ledger has noted."""
    deployed = linked.deployed.instances if linked and linked.deployed else {}
    noted = {a for a, r in context.octo.ledger.accounts().items() if r.account_type == "linked"}
    leaving = {a: name for a, name in known.linked.items() if a in noted or a in deployed}
    return replace(known, linked=leaving)


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


def _removing(context: AccountContext, made: Owned, *, keep: bool) -> list[OutsideAction]:
    """Say which linked accounts are taken out of the StackSet."""
    deployed = made.linked.deployed if made.linked else None
    if deployed is None or not deployed.instances:
        return []
    fate = "stays" if keep else "is deleted"
    text = (
        f"Take {count(deployed.instances)} out of the StackSet: the role {octo_names.API_ROLE}"
        f" {fate} in {len(made.reached)}"
    )
    if others := len(deployed.instances) - len(made.reached):
        have = counted(others, "other account has", "other accounts have")
        text += f"; {have} no stack, or a stack that AWS cannot delete"
    return [OutsideAction(REMOVE_ACCOUNTS, context.cloud.stackset_name, f"{text}.")]


def _of_bucket(made: Owned) -> list[OutsideAction]:
    """Say what becomes of octo-tf's own bucket."""
    bucket, of_bucket = made.bucket, made.of_bucket
    if bucket and bucket.is_deleted:
        also = " and all data in it" if bucket.with_data else ""
        return [OutsideAction(DELETE_BUCKET, bucket.name, f"Delete {bucket.name}{also}.")]
    if not of_bucket:
        return []
    name = bucket.name if bucket else of_bucket[0].arn.rpartition(":")[2]
    what = (
        f"Keep the bucket {name} as it is: remove it from the state only"
        if bucket
        else f"Remove the bucket {name} from the state: it is gone"
    )
    return [OutsideAction(KEEP_BUCKET, name, f"{what} ({counted(len(of_bucket), 'resource')}).")]


def _reviewed(
    context: AccountContext,
    account: Account,
    plan: Plan,
    actions: Collection[OutsideAction],
    reached: Collection[str] = (),
    allowed: Collection[str] = (),
) -> Review:
    shown = review(
        plan,
        account,
        context.account_name,
        allow_destroy=allowed,
        linked=PendingDeployments(remove=tuple(reached)),
        outside=in_order(tuple(actions)),
    )
    context.events.emit(PlanMade(shown))
    return shown
