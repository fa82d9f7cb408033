"""The settings of Terraform itself: where its state is."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from orchestrator.model.registration.field_types import Line, Region, Section
from orchestrator.model.setting import Group, Setting
from orchestrator.model.version_constraint import DEFAULT, OF_THE_MODULE, PATTERN, Constraint

_terraform = partial(Setting, group=Group.TERRAFORM)


_BACKEND_TYPE = _terraform("The kind of backend: local or s3.", example="s3")


class LocalBackend(Section):
    """State in a file inside the root folder."""

    type: Annotated[Literal["local"], _BACKEND_TYPE] = "local"


class S3Backend(Section):
    """State in S3, encrypted, locked by S3 itself (Terraform's ``use_lockfile``)."""

    type: Annotated[Literal["s3"], _BACKEND_TYPE]
    bucket: Annotated[Line, _terraform("The bucket of the state.", example="my-terraform-state")]
    key: Annotated[
        Line,
        _terraform("The object of the state.", example="octo/111122223333.tfstate"),
    ]
    region: Annotated[Region, _terraform("The region of the bucket.", example="eu-west-1")]
    kms_key_id: Annotated[
        Line | None,
        _terraform("The KMS key of the state.", default="the key of S3"),
    ] = None
    profile: Annotated[
        Line | None,
        _terraform(
            "The AWS profile that reaches the bucket.",
            default="the ambient credentials",
        ),
    ] = None


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


class TerraformSettings(Section):
    """How Terraform runs; none of it is an input of the module."""

    backend: Annotated[
        LocalBackend | S3Backend,
        _terraform(
            "Where Terraform keeps its state: local, or s3 (encrypted, locked) for teams.",
            default="local",
            module_input=False,
        ),
        Field(discriminator="type"),
    ] = Field(default_factory=LocalBackend)
    provider_version: Annotated[
        str,
        BeforeValidator(_provider_version),
        Field(json_schema_extra={"pattern": PATTERN}),
        _terraform(
            "The hashicorp/aws that Terraform uses: a version constraint.",
            example="~> 6.0",
            module_input=False,
        ),
    ] = DEFAULT
