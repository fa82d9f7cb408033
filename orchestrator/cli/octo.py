"""What commands that are about Octo's API alone share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.errors import ConfigError

if TYPE_CHECKING:
    from orchestrator.app.context import AccountContext
    from orchestrator.octo.api import OctoApi


def need_octo(context: AccountContext) -> OctoApi:
    """Octo's API.

    Raises:
        ConfigError: there are no credentials for it.
    """
    if context.octo.api is None:
        raise ConfigError(
            "there are no credentials for Octo's API",
            where="ALPHAUS_CLIENT_ID",
            hint="Set ALPHAUS_CLIENT_ID and ALPHAUS_CLIENT_SECRET, or name a profile with"
            " --octo-profile.",
        )
    return context.octo.api
