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
from orchestrator.stackset import preflight
from orchestrator.stackset.deployments import PendingDeployments


def status(context: AccountContext) -> LinkedAccounts:
    """Read the organization and the StackSet.

    Raises:
        WrongAccount: the credentials are another account's.
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
    consent: Callable[[PendingDeployments], None],
) -> Coverage:
    """Deploy again to all accounts that lack the role; those that are named get a new stack.

    Args:
        context: the payer.
        accounts: account ids; none means all that failed or are missing.
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
        pending = _retried(context, linked, accounts)
        if not pending:
            return linked.coverage
        consent(pending)
        with LinkedRegistrar(context, linked) as registrar:
            for progress in reached:  # registered with Octo only now that the user consented
                registrar.take(*progress)
            with context.events.step("deploy", "Deploying to linked accounts"):
                context.cloud.deploy(pending, linked, on_progress=registrar.take)
        return context.cloud.observe_linked_accounts(linked.organization).coverage


def _retried(
    context: AccountContext, linked: LinkedAccounts, accounts: Collection[str]
) -> PendingDeployments:
    deployed = linked.deployed
    if deployed is None:
        raise ConfigError(
            "has no StackSet yet",
            where=context.registration.account_id,
            hint="Run octo-tf apply.",
        )
    wanted = {s.account_id: s for s in linked.coverage.of(State.CURRENT, *WANTING)}
    for account_id in accounts:
        if account_id not in wanted:
            raise ConfigError(
                "is no account that the StackSet deploys to now",
                where=account_id,
                hint="`octo-tf stackset status --all` shows every account with the reason.",
            )
    chosen = accounts or [s.account_id for s in linked.coverage.of(*WANTING)]
    missing = [a for a in chosen if wanted[a].state is State.MISSING]
    recreated = [a for a in accounts if a in deployed.instances and deployed.instances[a].has_stack]
    retried = [a for a in chosen if a not in {*missing, *recreated}]
    return PendingDeployments(
        deploy=tuple(missing), retry=tuple(retried), recreate=tuple(recreated)
    )
