"""Preflight: what would refuse a deployment or cut linked accounts off. Nothing is changed."""

from __future__ import annotations

from orchestrator.app import steps
from orchestrator.app.context import AccountContext
from orchestrator.stackset.examination import Examination


def preflight(context: AccountContext) -> Examination:
    """Examine the account; of a payer, every linked account that a StackSet would cover.

    Raises:
        AwsError: a call failed, other than for a missing permission.
    """
    account = steps.identify(context)
    if account.account_type != "payer":
        return context.cloud.examine(account, None)
    with context.events.step("organization", "Reading the organization"):
        linked = context.cloud.observe_linked_accounts()
        return context.cloud.examine(account, linked)
