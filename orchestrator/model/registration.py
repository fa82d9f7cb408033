"""Registration: what a person asked for, as typed values.

The module's inputs keep the names that the module (and the published one) gives them.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from orchestrator.model import resource_names
from orchestrator.model.version_constraint import DEFAULT, OF_THE_MODULE, PATTERN, Constraint

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")


def _account_id(value: object) -> object:
    """YAML reads an unquoted account id as a number; one with leading zeros is already lost."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{12}", value, re.ASCII):
        raise PydanticCustomError(
            "account_id", "must be 12 digits, in quotes, like account_id: '111122223333'"
        )
    return value


def _region(value: object) -> object:
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        raise PydanticCustomError("region", "must be an AWS region, like us-east-1")
    return value


def _provider_version(value: object) -> object:
    """A constraint in one form, which the rendered root can hold as text."""
    try:
        constraint = Constraint.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise PydanticCustomError(
            "provider_version",
            "must be a Terraform version constraint in quotes, like '5.100.0' or '~> 6.0'",
        ) from None
    if not constraint.overlaps(OF_THE_MODULE):
        raise PydanticCustomError(
            "provider_version",
            "admits no version that the module works with ({range})",
            {"range": str(OF_THE_MODULE)},
        )
    return str(constraint)


AccountId = Annotated[str, BeforeValidator(_account_id)]
Region = Annotated[
    str, BeforeValidator(_region), Field(json_schema_extra={"pattern": f"^{_REGION.pattern}$"})
]
ProviderVersion = Annotated[
    str, BeforeValidator(_provider_version), Field(json_schema_extra={"pattern": PATTERN})
]
Line = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00-\x1f]*$")]


Target = Annotated[
    str,
    StringConstraints(pattern=r"^(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32})$"),
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AssumeRoleSettings(_Section):
    """The role that octo-tf and Terraform's provider assume to reach the account."""

    role_arn: Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:role/.+$")]
    session_name: Annotated[str, StringConstraints(pattern=r"^[\w+=,.@-]{2,64}$")] = "octo-tf"
    external_id: Line | None = None


class Credentials(_Section):
    """Where credentials come from; never the keys themselves. Empty: the ambient chain."""

    profile: Line | None = None
    assume_role: AssumeRoleSettings | None = None


class LocalBackend(_Section):
    """State in a file inside the root folder."""

    type: Literal["local"] = "local"


class S3Backend(_Section):
    """State in S3, encrypted, locked by S3 itself (Terraform's ``use_lockfile``)."""

    type: Literal["s3"]
    bucket: Line
    key: Line
    region: Region
    kms_key_id: Line | None = None
    profile: Line | None = None


class Access(_Section):
    """How an account is reached, and which one is meant, before it is said what to register."""

    account_id: AccountId | None = None
    account_type: Literal["payer", "linked", "standalone"] | None = None
    region: Region = "us-east-1"
    credentials: Credentials = Field(default_factory=Credentials)


class Registration(_Section):
    """One account to be registered with Octo. Module inputs keep the module's names.

    ``None`` leaves an input to the module's default. ``external_id`` is resolved: it holds the
    id wherever it came from; None where Octo itself is to be asked (``Run.external_id``).
    """

    account_id: AccountId
    account_name: Line | None = None
    account_type: Literal["payer", "linked", "standalone"] | None = None
    external_id: SecretStr | None
    principal: Literal["131920598436"] = resource_names.PRINCIPAL
    use_stackset: bool = False
    stackset_name: Line | None = None
    stackset_targets: list[Target] | None = None
    stackset_excluded_accounts: list[AccountId] | None = None
    stackset_max_concurrent_percentage: Annotated[int, Field(ge=1, le=100)] | None = None
    stackset_failure_tolerance_percentage: Annotated[int, Field(ge=0, le=100)] | None = None
    stackset_retain_stacks: bool | None = None
    stackset_retain_on_account_removal: bool | None = None
    stackset_role_logical_id: Line | None = None
    permission_tiers: list[Literal["read", "recommendations", "operations"]] | None = None
    max_session_duration: Annotated[int, Field(ge=3600, le=43200)] | None = None
    permissions_boundary: Line | None = None
    cur_s3_bucket_option: Literal["CREATE_NEW", "USE_EXISTING"] | None = None
    cur_s3_bucket_name: Line | None = None
    cur_s3_bucket_region: Region = "us-east-1"
    cur_s3_bucket_merge_policy: bool | None = None
    cur_s3_prefix: Line | None = None
    cur_report_name: Line | None = None
    cur_time_unit: Literal["HOURLY", "DAILY", "MONTHLY"] | None = None
    cur_format: Literal["textORcsv", "Parquet"] | None = None
    cur_compression: Literal["ZIP", "GZIP", "Parquet"] | None = None
    cur_additional_schema_elements: (
        list[Literal["RESOURCES", "SPLIT_COST_ALLOCATION_DATA", "MANUAL_DISCOUNT_COMPATIBILITY"]]
        | None
    ) = None
    cur_additional_artifacts: list[Literal["ATHENA", "REDSHIFT", "QUICKSIGHT"]] | None = None
    cur_refresh_closed_reports: bool | None = None
    cur_report_versioning: Literal["CREATE_NEW_REPORT", "OVERWRITE_REPORT"] | None = None
    cur_role_trust: Literal["external_id", "principal_only"] | None = None
    tags: dict[Line, str] | None = None
    region: Region = "us-east-1"
    credentials: Credentials = Field(default_factory=Credentials)
    backend: Annotated[LocalBackend | S3Backend, Field(discriminator="type")] = Field(
        default_factory=LocalBackend
    )
    provider_version: ProviderVersion = DEFAULT

    @field_validator("external_id")
    @classmethod
    def _valid_external_id(cls, value: SecretStr | None) -> SecretStr | None:
        """The form that STS accepts (API reference, AssumeRole, ExternalId)."""
        if value is None:
            return None
        text = value.get_secret_value()
        if not (2 <= len(text) <= 1224 and re.fullmatch(r"[\w+=,.@:/-]+", text, re.ASCII)):
            raise PydanticCustomError(
                "external_id", "must be 2 to 1224 characters of letters, digits and _+=,.@:/-"
            )
        return value

    @field_validator("permission_tiers")
    @classmethod
    def _with_read(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and "read" not in value:
            raise PydanticCustomError("permission_tiers", "must include read: Octo cannot do less")
        return sorted(set(value)) if value is not None else None

    @model_validator(mode="after")
    def _bucket_is_named(self) -> Registration:
        if self.cur_s3_bucket_option == "USE_EXISTING" and self.cur_s3_bucket_name is None:
            raise PydanticCustomError(
                "cur_s3_bucket_name",
                "cur_s3_bucket_option: USE_EXISTING needs cur_s3_bucket_name, the bucket's name",
            )
        return self
