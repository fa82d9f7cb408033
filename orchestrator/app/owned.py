"""Read what octo-tf made for an account that is to leave: state, linked accounts, bucket."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from orchestrator.app import steps, unmanaged
from orchestrator.app.context import AccountContext
from orchestrator.app.own_bucket import Bucket, find
from orchestrator.app.steps import Prepared
from orchestrator.errors import Refused
from orchestrator.model.account import Account
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract import addresses
from orchestrator.stackset import guardrails
from orchestrator.terraform import journal, render
from orchestrator.terraform.state import BUCKET, STACKSET, TARGET, StateEdit, StateResource

_REPORT = addresses.MODULE + addresses.REPORT  # Terraform's prevent_destroy protects it


@dataclass(frozen=True)
class Request:
    """The options of ``octo-tf destroy``.

    Attributes:
        keep_linked_roles: whether linked accounts keep the role that the StackSet made.
        delete_bucket: whether octo-tf's own bucket is deleted.
        delete_data: whether the bucket is deleted even if it holds objects.
        with_enrolments: whether the enrolments in AWS services that octo-tf made are ended.
    """

    keep_linked_roles: bool = False
    delete_bucket: bool = False
    delete_data: bool = False
    with_enrolments: bool = False


@dataclass(frozen=True)
class Owned:
    """What octo-tf made for the account, and what of it would be left.

    Attributes:
        linked: the payer's linked accounts; None without a StackSet in the state.
        bucket: octo-tf's own bucket; None if there is none.
        reached: the linked accounts whose stack CloudFormation can delete.
        keeps_role: those that keep the role, now or since an earlier run.
    """

    prepared: Prepared
    state: tuple[StateResource, ...]
    linked: LinkedAccounts | None
    bucket: Bucket | None
    reached: tuple[str, ...]
    keeps_role: tuple[str, ...]

    @property
    def of_bucket(self) -> list[StateResource]:
        """The bucket and its settings in the state; the bucket comes first."""
        found = [r for r in self.state if r.type.startswith(BUCKET)]
        return sorted(found, key=lambda resource: resource.type)

    @property
    def edits(self) -> tuple[StateEdit, ...]:
        """What leaves the state before Terraform plans: the bucket, and the StackSet's targets."""
        targets = [r for r in self.state if r.type == TARGET]
        return tuple(StateEdit("forget", r.address) for r in (*self.of_bucket, *targets))


def observe(context: AccountContext, account: Account, request: Request) -> Owned:
    """Read the state, the linked accounts and the bucket; only the root folder is written.

    Raises:
        Refused: AWS has resources for Octo that the state does not have, a policy of the
            organization keeps linked accounts from losing the role, or the bucket may not be
            deleted.
    """
    prepared = render_root(context, account)
    state = prepared.terraform.resources()
    steps.check_region(context, state)
    unmanaged.check(context, account, state)
    linked = observe_linked_accounts(context, state)
    bucket = find(
        context,
        account,
        state,
        delete=request.delete_bucket,
        with_data=request.delete_data,
    )
    record = context.octo.ledger.account(account.account_id)
    instances = linked.deployed.instances.values() if linked and linked.deployed else ()
    with_stack = {instance.account_id for instance in instances if instance.has_stack}
    members = linked.organization.members if linked else ()
    # CloudFormation deletes no stack in an account that is closed or suspended.
    reached = with_stack & {m.account_id for m in members if m.active}
    keeps = with_stack | {*(record.kept_roles if record else ())}
    if not request.keep_linked_roles:
        keeps -= reached
        check_policies(context, linked, reached)
    return Owned(
        prepared, tuple(state), linked, bucket, tuple(sorted(reached)), tuple(sorted(keeps))
    )


def check_policies(
    context: AccountContext, linked: LinkedAccounts | None, accounts: Collection[str]
) -> None:
    """Refuse if the organization's policies certainly keep linked accounts from losing the role.

    Otherwise some accounts would have lost it by the time the first of the others is met.

    Raises:
        Refused: they do; the statements are named.
        AwsError: a call failed, other than for a missing permission.
    """
    if linked is None or not accounts:
        return
    with context.events.step("policies", "Reading the organization's policies"):
        predicted = context.cloud.predict_removal(linked, accounts)
    if predicted.denied:
        context.events.warn(
            f"the organization's policies could not be read: {guardrails.unread(predicted)};"
            " whether they deny the removal of the role from linked accounts is not known."
        )
    obstacles = [(one, own) for one, own in predicted.of(accounts) if one.keeps_role]
    if obstacles:
        raise Refused(
            "the organization's policies keep linked accounts from losing the role; nothing was"
            " changed:\n"
            + "\n".join(f"  {guardrails.describe(one, own)}" for one, own in obstacles),
            where=f"StackSet {context.cloud.stackset_name}",
            hint="octo-tf preflight shows the exemption for each policy. Or give"
            " --keep-linked-roles: the role then stays in linked accounts.",
        )


def render_root(context: AccountContext, account: Account) -> Prepared:
    """Render the root without ``prevent_destroy`` on the report, and initialize Terraform.

    Raises:
        Refused: the state is unreadable, or was not saved.
    """
    lifted = replace(context.settings, allow_destroy=frozenset({_REPORT}))
    context = replace(context, settings=lifted)
    secret = steps.decide_external_id(context)
    terraform = context.open_terraform(secret)
    terraform.check_lock(context.provider_version)
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
    context: AccountContext, state: Collection[StateResource]
) -> LinkedAccounts | None:
    """Read the StackSet in the state, with its stack instances; None if there is none.

    Raises:
        Refused: octo.yaml names another StackSet.
    """
    for resource in (r for r in state if r.type == STACKSET):
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
