"""Linked accounts during a deployment: progress is reported, and who is reached is registered.

Terraform only says that it waits for the StackSet. Meanwhile its newest operation is read again
and again; accounts whose stack instance is current are registered by a step of their own, while
others are still deployed to. That step is joined before the registration is confirmed.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from orchestrator.app.context import AccountContext
from orchestrator.app.events import LinkedAccountsProgress
from orchestrator.app.steps import Prepared
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.stackset import deployments
from orchestrator.stackset.deployments import OnProgress, PendingDeployments
from orchestrator.terraform.plan import Plan
from orchestrator.terraform.state import STACKSET, TARGET

_POLL_SECONDS = 2.0
_JOIN_SECONDS = 15.0  # for a run that is ending because of an error


class LinkedRegistrar:
    """Register linked accounts as deployment events say that their stack is current.

    Use it as a context manager: leaving the block waits until every account that was reported
    has been registered, or has failed; ``confirm`` retries and reports failures.

    Args:
        linked: its linked accounts, for their names.
    """

    def __init__(self, context: AccountContext, linked: LinkedAccounts | None) -> None:
        self._context = context
        self._names = {m.account_id: m.name for m in linked.organization.members} if linked else {}
        self._seen: set[str] = set()
        self._queue: queue.SimpleQueue[dict[str, str] | None] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> LinkedRegistrar:
        self._worker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._queue.put(None)
        self._worker.join(None if kind is None else _JOIN_SECONDS)

    def take(self, action: str, accounts: Mapping[str, tuple[str, str]]) -> None:
        """Take how far an operation is: its action, and each account's status and reason."""
        self._context.events.emit(LinkedAccountsProgress(accounts))
        if action == "DELETE":
            return
        current = {a for a, (status, _) in accounts.items() if status == "SUCCEEDED"}
        # An account that joined since the organization was read has no name here: verification
        # registers it.
        new = {a: self._names[a] for a in current - self._seen if a in self._names}
        self._seen |= current
        if new:
            self._queue.put(new)

    def _work(self) -> None:
        while (names := self._queue.get()) is not None:
            self._context.octo.linked.register_current(self._context.registration.account_id, names)


def report_progress(context: AccountContext) -> OnProgress:
    """Return a function that reports how far an operation is, and registers nobody."""
    return lambda _action, accounts: context.events.emit(LinkedAccountsProgress(accounts))


@contextmanager
def watching(
    context: AccountContext,
    plan: Plan,
    linked: LinkedAccounts | None,
    on_progress: OnProgress,
) -> Iterator[None]:
    """Read the StackSet's newest operation during the block, if the plan touches the StackSet."""
    if not any(change.type in (STACKSET, TARGET) for change in plan.changes):
        yield
        return
    ended = threading.Event()
    reached = deployments.reached_by_terraform(linked) if linked else {}

    def poll() -> None:
        while not ended.wait(_POLL_SECONDS):
            if newest := context.cloud.newest_deployment():
                action, results = newest
                on_progress(action, deployments.with_waiting(results, reached.get(action, ())))

    poller = threading.Thread(target=poll, daemon=True)
    poller.start()
    try:
        yield
    finally:
        ended.set()
        poller.join(timeout=_POLL_SECONDS)


def wait_for_deployments(
    context: AccountContext, linked: LinkedAccounts | None, on_progress: OnProgress
) -> None:
    """Wait for StackSet operations that are under way, whoever started them."""
    if linked is not None and context.cloud.has_stackset():
        with context.events.step("wait_stackset", "Waiting for the StackSet"):
            context.cloud.wait_for_deployments(on_progress=on_progress)


def deploy_consented(
    context: AccountContext,
    prepared: Prepared,
    consented: PendingDeployments,
    registrar: LinkedRegistrar,
) -> None:
    """Deploy to the single accounts of a plan, as far as that is still to be done.

    Raises:
        AwsError: AWS refused, or somebody stopped the operation.
    """
    if not consented or prepared.linked is None:
        return
    linked = context.cloud.observe_linked_accounts(prepared.linked.organization)
    pending = deployments.pending(linked).only(consented.accounts)
    with context.events.step("deploy", "Deploying to linked accounts"):
        context.cloud.deploy(pending, linked, on_progress=registrar.take)
