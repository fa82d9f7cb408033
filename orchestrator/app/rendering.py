"""Render: the root folder's content from octo.yaml, as a plan would have it."""

from __future__ import annotations

from orchestrator.app import steps
from orchestrator.app.context import AccountContext
from orchestrator.stackset import preflight
from orchestrator.terraform.render import Root


def render_root(context: AccountContext) -> Root:
    """Identify the account and render its root; nothing is written.

    Raises:
        ConfigError: octo.yaml asks for what cannot be.
        Refused: the existing report that octo.yaml asks for does not fit.
    """
    account = steps.identify(context)
    secret = steps.decide_external_id(context)
    targets = None
    if context.registration.use_stackset:
        preflight.check_type(account)
        targets = context.cloud.targets()
    report = steps.existing_report(context, account, must_fit=True)
    return steps.render_root(context, account, secret, targets, report=report)
