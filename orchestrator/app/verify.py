"""Verify: what AWS has, compared with what was applied; nothing is changed in AWS."""

from __future__ import annotations

from contextlib import nullcontext

from orchestrator.app import steps
from orchestrator.app.confirm import confirm
from orchestrator.app.context import AccountContext
from orchestrator.app.steps import Prepared
from orchestrator.model.module_outputs import Outputs
from orchestrator.verify.model import Report


def verify(context: AccountContext) -> Report:
    """Prove the registration area by area, and have Octo confirm what passes.

    An account that is not registered with Octo stays so.

    Raises:
        WrongAccount: the credentials are another account's.
        EngineError: nothing was applied yet.
    """
    account = steps.identify(context)
    with context.locked():
        prepared = steps.prepare(context, account)
        outputs = steps.applied_outputs(context, prepared.terraform)
        report = check(
            context, prepared, outputs, wait_seconds=context.settings.wait_seconds, shown=True
        )
        return confirm(context, account, report)


def check(
    context: AccountContext,
    prepared: Prepared,
    outputs: Outputs,
    *,
    wait_seconds: float = 0.0,
    settle_seconds: float = 0.0,
    shown: bool = True,
) -> Report:
    """Run the checks; Octo learns nothing of it."""
    with context.events.step("verify", "Verifying") if shown else nullcontext():
        return context.cloud.verify(
            outputs,
            prepared.external_id.get_secret_value(),
            wait_seconds=wait_seconds,
            settle_seconds=settle_seconds,
        )
