"""Registration: what a person asked for, as typed values; one file for each group of settings.

The module's inputs keep the names that the module (and the published one) gives them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Union

from pydantic import SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from orchestrator.model.registration.access import (
    EXTERNAL_ID_SOURCES,
    Access,
    Credentials,
    ExternalIdRotation,
    ExternalIdSource,
)
from orchestrator.model.registration.api_access import ApiAccessSettings
from orchestrator.model.registration.combinations import check_combinations
from orchestrator.model.registration.cur import CurSettings
from orchestrator.model.registration.field_types import AccountId
from orchestrator.model.registration.linked_accounts import LinkedAccountsSettings
from orchestrator.model.registration.module_rules import Tags
from orchestrator.model.registration.terraform import LocalBackend, S3Backend, TerraformSettings
from orchestrator.model.setting import Group, NamedSetting, Setting, settings_of

__all__ = [
    "EXTERNAL_ID_SOURCES",
    "Access",
    "Credentials",
    "ExternalIdRotation",
    "ExternalIdSource",
    "LocalBackend",
    "Registration",
    "S3Backend",
    "flag_of",
    "settings",
    "to_register",
    "unused",
]


# pydantic lists the fields of the last base first.
class Registration(
    TerraformSettings, LinkedAccountsSettings, CurSettings, ApiAccessSettings, Access
):
    """One account to be registered with Octo. Module inputs keep the module's names.

    ``None`` leaves an input to the module's default. ``external_id`` is resolved: it holds the
    id wherever it came from; None where Octo itself is to be asked (``octo.external_id.decide``).
    """

    account_id: Annotated[
        AccountId,
        Setting(
            "The AWS account to register; octo-tf refuses any other.",
            Group.ACCOUNT,
            example="111122223333",
            common=True,
        ),
    ]
    external_id: SecretStr | None
    external_id_rotation: Annotated[
        ExternalIdRotation | None,
        Setting(
            "Two external ids that the roles accept during a rotation; see octo-tf"
            " rotate-external-id.",
            Group.ACCOUNT,
            module_input=False,
        ),
    ] = None
    tags: Annotated[
        Tags | None,
        Setting("The tags of every resource.", Group.ACCOUNT, example={"team": "finops"}),
    ] = None

    @field_validator("external_id")
    @classmethod
    def _valid_external_id(cls, value: SecretStr | None) -> SecretStr | None:
        """The form that STS accepts (API reference, AssumeRole, ExternalId)."""
        if value is None:
            return None
        _check_form(value)
        return value

    @field_validator("external_id_rotation")
    @classmethod
    def _valid_rotation(
        cls, value: ExternalIdRotation | None, info: ValidationInfo
    ) -> ExternalIdRotation | None:
        if value is None or value.ids is None:
            return value
        for secret in value.ids:
            _check_form(secret)
        if value.ids[0] == value.ids[1]:
            raise PydanticCustomError("external_id_rotation", "must have two different ids")
        present = info.data.get("external_id")
        if present is not None and present not in value.ids:
            raise PydanticCustomError(
                "external_id_rotation", "must hold the present external_id as one of its two ids"
            )
        return value

    @property
    def accepted_external_ids(self) -> tuple[SecretStr, ...]:
        """The two ids of a rotation, the new one last; empty without one."""
        return tuple(self.external_id_rotation.ids or ()) if self.external_id_rotation else ()

    @field_validator("features", "stackset_features")
    @classmethod
    def _with_cost(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and "cost" not in value:
            raise PydanticCustomError("features", "must include cost: Octo cannot do without")
        return sorted(set(value)) if value is not None else None

    @model_validator(mode="after")
    def _go_together(self) -> Registration:
        check_combinations(dict(self))
        return self


def _check_form(secret: SecretStr) -> None:
    text = secret.get_secret_value()
    if not (2 <= len(text) <= 1224 and re.fullmatch(r"[\w+=,.@:/-]+", text, re.ASCII)):
        raise PydanticCustomError(
            "external_id", "must be 2 to 1224 characters of letters, digits and _+=,.@:/-"
        )


@cache
def settings() -> dict[str, NamedSetting]:
    """Return every setting of octo.yaml, by its dotted name."""
    found: dict[str, NamedSetting] = {}
    for setting in (*settings_of(Registration), *settings_of(ExternalIdSource)):
        first = found.get(setting.name, setting)  # each kind of backend has a type of its own
        found[setting.name] = replace(first, type=Union[first.type, setting.type])  # noqa: UP007
    return found


_UNUSED = {"linked": (Group.CUR, Group.LINKED_ACCOUNTS), "standalone": (Group.LINKED_ACCOUNTS,)}


def unused(registration: Registration, account_type: str) -> tuple[str, ...]:
    """Name the settings that were given and that an account of this type does not use."""
    groups = _UNUSED.get(account_type, ())
    return tuple(
        name
        for name, setting in settings().items()
        if name in registration.model_fields_set
        and setting.about.group in groups
        and getattr(registration, name) not in (None, False)
    )


def to_register(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that say what to register, not which account, nor how it is reached."""
    outside = {"account_id", *EXTERNAL_ID_SOURCES}
    return {
        name: value
        for name, value in flags.items()
        if name not in outside
        and (settings()[name].about.module_input or name in ("account_name", "region"))
        and "." not in name
    }


def flag_of(name: str) -> str:
    """Return the option that sets a field, e.g. ``--aws-profile`` for ``credentials.profile``."""
    return settings()[name].flag or name
