"""Verify: compare AWS with what was applied last and with octo.yaml; AWS is not changed."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

from orchestrator.app import steps
from orchestrator.app.confirm import confirm
from orchestrator.app.console import check as console_check
from orchestrator.app.console import flow as console
from orchestrator.app.context import AccountContext
from orchestrator.app.steps import Prepared
from orchestrator.model.module_contract.outputs import Outputs, parse_outputs
from orchestrator.verify.model import Report


def verify(context: AccountContext) -> Report:
    """Prove the registration area by area, and have Octo confirm what passes.

    An account that is not registered with Octo stays so. One that stacks registered is verified as
    ``console check`` does.

    Raises:
        EngineError: nothing was applied yet.
    """
    account = steps.identify(context, registering=False)
    record = context.octo.ledger.account(account.account_id)
    if record is not None and record.method == "console":
        flow = console.flow_of(context, account)
        return console_check.check(
            flow, flow.checked_steps(), wait_seconds=context.settings.wait_seconds
        )
    with context.locked():
        prepared = steps.prepare(context, account)
        values = prepared.terraform.outputs()
        outputs = as_wanted_now(context, prepared, parse_outputs(values, account.account_id))
        report = check(
            context, prepared, outputs, wait_seconds=context.settings.wait_seconds, unchanged=True
        )
        unapplied = steps.unapplied_settings(prepared, values)
        return confirm(context, account, replace(report, unapplied=unapplied))


def as_wanted_now(context: AccountContext, prepared: Prepared, outputs: Outputs) -> Outputs:
    """Expect of linked accounts what octo.yaml asks for now, whatever was applied last."""
    if outputs.stackset is None or prepared.linked is None:
        return outputs
    excluded = sorted(context.registration.stackset_excluded_accounts or [])
    wanted = {"targets": list(prepared.linked.targets), "excluded_accounts": excluded}
    stackset = outputs.stackset.model_copy(update=wanted)
    return outputs.model_copy(update={"stackset": stackset})


def check(
    context: AccountContext,
    prepared: Prepared,
    outputs: Outputs,
    *,
    wait_seconds: float = 0.0,
    settle_seconds: float = 0.0,
    shown: bool = True,
    unchanged: bool = False,
) -> Report:
    """Run the checks; Octo is not called.

    ``unchanged``: nothing was changed since the account was identified; see ``Cloud.verify``.
    """
    with context.events.step("verify", "Verifying") if shown else nullcontext():
        return context.cloud.verify(
            outputs,
            prepared.external_id.get_secret_value(),
            context.acceptance,
            unchanged=unchanged,
            wait_seconds=wait_seconds,
            settle_seconds=settle_seconds,
        )
