"""Trust Octo in the CUR role without the external id, if Octo seems to send none for it.

Octo's own templates require none there, and whether the service sends one is not public. It is a
plan of its own, with a consent of its own.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.app import configuring, steps
from orchestrator.app.apply import Applied, Consent, apply_prepared
from orchestrator.app.context import AccountContext
from orchestrator.model.outside_action import CONFIGURE

_SETTING: dict[str, Any] = {"cur_role_trust": "principal_only"}


def apply_weaker_trust(context: AccountContext, config: Path, *, consent: Consent) -> Applied:
    """Plan and apply ``cur_role_trust: principal_only``, and write it to octo.yaml.

    Raises:
        OctoTfError: see ``apply.apply``.
    """
    weaker = context.registration.model_copy(update=_SETTING)
    context = replace(context, registration=weaker)
    account = steps.identify(context)
    with context.locked():
        prepared = steps.prepare(context, account, registering=True)
        return apply_prepared(
            context,
            prepared,
            consent=consent,
            announced=configuring.announce(config, _SETTING),
            carry_out={CONFIGURE: lambda _action: configuring.write(config, _SETTING)},
        )
