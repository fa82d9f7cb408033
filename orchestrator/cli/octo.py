"""Octo's API for commands that need it by itself, or before there is an octo.yaml."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from orchestrator.errors import ConfigError, OctoUnreachable

if TYPE_CHECKING:
    from pydantic import SecretStr

    from orchestrator.app.context import AccountContext
    from orchestrator.model.registration import Registration
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


def octo_external_id(
    ctx: click.Context, flags: Mapping[str, Any]
) -> Callable[[Registration], SecretStr | None] | None:
    """Return a reader of Octo's external id for a registration; None without credentials for Octo.

    The reader returns None if Octo does not answer.
    """
    from orchestrator.config.load import place_of
    from orchestrator.octo import external_id
    from orchestrator.octo.api import OctoApi
    from orchestrator.octo.credentials import find

    options = ctx.params
    credentials = find(os.environ, profile=options["octo_profile"]) if options["use_octo"] else None
    if credentials is None:
        return None

    place = functools.partial(place_of, options["config"], flags)

    def read(registration: Registration) -> SecretStr | None:
        api = OctoApi(options["octo_endpoint"], credentials)
        try:
            return external_id.decide(registration, api, credentials, place)
        except OctoUnreachable:  # a role's trust policy may have it
            return None

    return read
