"""Octo's messages, as its published protobuf has them (cover.proto, accountaccess.proto).

Each has the fields that octo-tf and its tests read. Other fields are ignored, and absent ones are
empty: the API is marked BETA.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic.alias_generators import to_camel, to_pascal

OUTDATED = "outdated"  # the template has changed: an access's status
UP_TO_DATE = ("", "latest")
NO_ERROR = (*UP_TO_DATE, OUTDATED)  # an access's status where it is no error's text


class _Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, values: Any) -> Any:
        """Drop nulls: a gateway writes null for an absent message."""
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if value is not None}
        return values


class RegistrationStatus(_Message):
    """What Octo has confirmed of an account."""

    api_access: bool = False
    cur_export: bool = False
    stack_set: bool = False
    is_data_available: bool = False


class AccountAccess(_Message):
    """The answer to a confirmation; ``status`` is ``latest``, ``outdated`` or an error's text."""

    registration_status: RegistrationStatus = Field(default_factory=RegistrationStatus)
    status: str = ""


class AwsOptions(_Message):
    """The part of DataAccess that is about AWS; most of its keys are capitalised."""

    model_config = ConfigDict(alias_generator=to_pascal)

    account_name: str = ""
    payer_id: str = ""
    role_arn: str = ""
    template_url: str = ""
    bucket_name: str = ""
    prefix: str = ""
    report_name: str = ""
    registration_method: str = ""
    registration_status: RegistrationStatus = Field(
        default_factory=RegistrationStatus, alias="registrationStatus"
    )
    status: str = ""
    template_version: str = Field("", alias="templateVersion")


class DataAccess(_Message):
    """What Octo knows of an account."""

    target: str
    aws_options: AwsOptions = Field(default_factory=AwsOptions)
    account_type: str = ""
    create_time: str = ""
    vendor: str = ""


class AccessTemplate(_Message):
    """What API access depends on: the external id is the organization's own, and a secret."""

    launch_url: SecretStr = SecretStr("")  # holds the external id
    template_url: str = ""
    principal: str
    external_id: SecretStr
    template_version: str = ""


class Recommendation(_Message):
    """What Octo recommends of one resource; savings in USD a month."""

    id: str = ""
    name: str = ""
    resource_id: str = ""
    estimated_monthly_savings: float = 0.0


class Recommendations(_Message):
    """The answer to a list of recommendations."""

    recommendations: list[Recommendation] = Field(default_factory=list)
