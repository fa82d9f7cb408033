"""External id and principal: Octo's own; octo.yaml need not repeat them, nor contradict them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import SecretStr

from orchestrator.errors import ConfigError
from orchestrator.model.registration import Registration
from orchestrator.octo.credentials import Credentials

if TYPE_CHECKING:
    from orchestrator.octo.api import OctoApi


def agreed(
    registration: Registration,
    api: OctoApi,
    credentials: Credentials,
    place_of: Callable[[str], str],
) -> SecretStr:
    """The external id that Octo presents, asked for now.

    Args:
        registration: what a person asked for.
        api: Octo.
        credentials: whose they are, for the error.
        place_of: where a setting was set.

    Raises:
        ConfigError: octo.yaml or a flag says another external id, or Octo has another principal.
        OctoError: Octo refuses, or does not answer.
    """
    template = api.template()
    if template.principal != registration.principal:
        raise ConfigError(
            f"principal is {registration.principal}, but Octo's is {template.principal}; nothing"
            " was written",
            where=place_of("principal"),
            hint="Check --octo-endpoint, and the version of octo-tf.",
        )
    own = registration.external_id
    if own is not None and own != template.external_id:
        raise ConfigError(
            "external_id is not the one that Octo has; nothing was written",
            where=place_of("external_id"),
            hint="Leave it out: octo-tf takes it from Octo. Or check whose credentials these are"
            f" (client {credentials.client_id}, from the {credentials.source}).",
        )
    return template.external_id
