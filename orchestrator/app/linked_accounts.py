"""The linked accounts of a payer, one by one: where each stands, and another try for some."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from orchestrator.app import steps
from orchestrator.app.context import AccountContext
from orchestrator.app.deploying import LinkedRegistrar
from orchestrator.app.events import LinkedAccountsProgress
from orchestrator.errors import ConfigError
from orchestrator.model.coverage import WANTING, Coverage, State
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.stackset import guardrails, preflight
from orchestrator.stackset.deployments import PendingDeployments

# The accounts whose stack instance can be removed one by one.
_REMOVABLE = (State.SUSPENDED, State.INACTIVE, State.EXCESS)


def status(context: AccountContext) -> LinkedAccounts:
    """Read the organization and the StackSet.

    Raises:
        ConfigError: the registration has no StackSet.
    """
    if not context.registration.use_stackset:
        raise ConfigError(
            "is not set: there is no StackSet",
            where="use_stackset",
            hint="Run octo-tf upgrade: it registers every linked account.",
        )
    preflight.check_type(steps.identify(context))
    return context.cloud.observe_linked_accounts()


def retry(
    context: AccountContext,
    accounts: Collection[str],
    *,
    recreate: Collection[str] = (),
    consent: Callable[[PendingDeployments], None],
) -> Coverage:
    """Repair single accounts: deploy again, remove a stack instance, or replace a stack.

    What the organization's policies deny is warned of before consent.

    Args:
        accounts: ids of the accounts to repair; of those that are closed or in no target any more,
            the stack instance is removed. None at all means all that failed or are missing.
        recreate: ids of accounts whose stack is deleted and created again.
        consent: is shown what will be done; raises where the user does not agree.

    Raises:
        ConfigError: an account is not to be deployed to.
        AwsError: AWS refused, or somebody stopped the operation.
    """
    linked = status(context)
    reached: list[tuple[str, Mapping[str, tuple[str, str]]]] = []

    def keep(action: str, accounts: Mapping[str, tuple[str, str]]) -> None:
        context.events.emit(LinkedAccountsProgress(accounts))
        reached[:] = [(action, accounts)]

    with context.locked():
        if linked.deployed is not None:
            with context.events.step("wait_stackset", "Waiting for the StackSet"):
                context.cloud.wait_for_deployments(on_progress=keep)
            linked = context.cloud.observe_linked_accounts(linked.organization)
        pending = _retried(context, linked, accounts, recreate)
        if not pending:
            return linked.coverage
        deployed_to = pending.accounts - {*pending.remove}
        for obstacle, own in context.cloud.predict(linked).of(deployed_to):
            context.events.warn(guardrails.describe(obstacle, own))
        consent(pending)
        with LinkedRegistrar(context, linked) as registrar:
            for progress in reached:  # registered with Octo only now that the user consented
                registrar.take(*progress)
            with context.events.step("deploy", "Deploying to linked accounts"):
                context.cloud.deploy(pending, linked, on_progress=registrar.take)
        return context.cloud.observe_linked_accounts(linked.organization).coverage


def _retried(
    context: AccountContext,
    linked: LinkedAccounts,
    accounts: Collection[str],
    recreate: Collection[str],
) -> PendingDeployments:
    deployed = linked.deployed
    if deployed is None:
        raise ConfigError(
            "has no StackSet yet",
            where=context.registration.account_id,
            hint="Run octo-tf apply.",
        )
    states = {s.account_id: s.state for s in linked.coverage.accounts}
    for account_id in accounts:
        if states.get(account_id) is State.CURRENT:
            raise ConfigError(
                "has the role: there is nothing to repair",
                where=account_id,
                hint=f"To replace its stack: octo-tf stackset retry --account {account_id}.",
            )
    removed = [a for a in accounts if a in deployed.instances and states.get(a) in _REMOVABLE]
    repaired = [a for a in accounts if a not in removed]
    for account_id in (*repaired, *recreate):
        if states.get(account_id) not in (State.CURRENT, *WANTING):
            raise ConfigError(
                "is no account that the StackSet deploys to now",
                where=account_id,
                hint="`octo-tf stackset status --all` shows every account with the reason.",
            )
    everyone = [s.account_id for s in linked.coverage.of(*WANTING)]
    chosen = {*repaired, *recreate} if accounts or recreate else {*everyone}
    missing = {a for a in chosen if states[a] is State.MISSING}
    replaced = {a for a in recreate if a in deployed.instances and deployed.instances[a].has_stack}
    return PendingDeployments(
        deploy=tuple(sorted(missing)),
        retry=tuple(sorted(chosen - missing - replaced)),
        remove=tuple(removed),
        recreate=tuple(sorted(replaced)),
    )
