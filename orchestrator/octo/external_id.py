"""Decide the external id: Octo's own, which octo.yaml may omit and must not contradict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import SecretStr

from orchestrator.errors import ConfigError, OctoUnreachable
from orchestrator.model.registration import Registration
from orchestrator.octo.credentials import Credentials

if TYPE_CHECKING:
    from orchestrator.octo.api import OctoApi


def decide(
    registration: Registration,
    api: OctoApi | None,
    credentials: Credentials | None,
    place_of: Callable[[str], str],
    *,
    warn: Callable[[str], None] = lambda _text: None,
) -> SecretStr:
    """Take the external id from Octo, or from octo.yaml without credentials for Octo.

    Args:
        api: Octo; None where there are no credentials.
        place_of: where a setting was set, for errors.
        warn: reports that Octo does not answer and octo.yaml's id is used.

    During a rotation Octo may present either id.

    Raises:
        ConfigError: there is none, octo.yaml or a flag has another one than Octo, or Octo has
            another principal.
        OctoError: Octo refuses, or does not answer and octo.yaml has no id.
    """
    own = registration.external_id
    if api is None or credentials is None:
        if own is None:
            raise ConfigError("external_id is missing", where=place_of("external_id"))
        return own
    try:
        return _octos(registration, api, credentials, place_of)
    except OctoUnreachable as error:
        if own is None:
            raise
        warn(f"{error}. Going on with the external id of octo.yaml.")
        return own


def _octos(
    registration: Registration,
    api: OctoApi,
    credentials: Credentials,
    place_of: Callable[[str], str],
) -> SecretStr:
    template = api.template()
    if template.principal != registration.principal:
        raise ConfigError(
            f"principal is {registration.principal}, but Octo's is {template.principal}",
            where=place_of("principal"),
            hint="Check --octo-endpoint, and the version of octo-tf.",
        )
    own, accepted = registration.external_id, registration.accepted_external_ids
    if accepted and template.external_id not in accepted:
        raise ConfigError(
            "Octo presents an external id that is neither of the two",
            where=place_of("external_id_rotation"),
            hint="Check whose credentials these are"
            f" (client {credentials.client_id}, from the {credentials.source}).",
        )
    if own is not None and own != template.external_id and not accepted:
        raise ConfigError(
            "external_id is not the one that Octo has",
            where=place_of("external_id"),
            hint="Remove it: octo-tf takes it from Octo. Or check whose credentials these are"
            f" (client {credentials.client_id}, from the {credentials.source}).",
        )
    return template.external_id
