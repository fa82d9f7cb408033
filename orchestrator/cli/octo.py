"""What the commands share that do nothing without Octo's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchestrator.errors import ConfigError

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.octo.api import OctoApi


def need_octo(context: AccountContext) -> OctoApi:
    """Give Octo's API.

    Raises:
        ConfigError: there are no credentials for it, or they are not to be used.
    """
    if click.get_current_context().params.get("use_octo") is False:
        raise ConfigError(
            "Octo's API is switched off",
            where="--no-octo",
            hint="Remove --no-octo, or OCTO_TF_OCTO=false: this command calls Octo's API.",
        )
    if context.octo.api is None:
        raise ConfigError(
            "there are no credentials for Octo's API",
            where="ALPHAUS_CLIENT_ID",
            hint="Set ALPHAUS_CLIENT_ID and ALPHAUS_CLIENT_SECRET, or name a profile with"
            " --octo-profile.",
        )
    return context.octo.api
