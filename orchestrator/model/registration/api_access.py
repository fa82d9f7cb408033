"""The settings of the role by which Octo reads the account."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.model.module_contract import octo_names
from orchestrator.model.registration.field_types import Section
from orchestrator.model.registration.module_rules import PolicyArn
from orchestrator.model.setting import Group, Setting

_api = partial(Setting, group=Group.API_ACCESS)


class ApiAccessSettings(Section):
    """Inputs of the module about the API access role."""

    principal: Annotated[
        Literal["131920598436"], _api("The AWS account of Octo itself; fixed.")
    ] = octo_names.PRINCIPAL
    permission_tiers: Annotated[
        list[Literal["read", "recommendations", "operations"]] | None,
        _api(
            "What Octo may do; read is always part of it.",
            example=["read", "recommendations"],
            common=True,
        ),
    ] = None
    max_session_duration: Annotated[
        Annotated[int, Field(ge=3600, le=43200)] | None,
        _api("How long a session of Octo may last, in seconds: 3600 to 43200."),
    ] = None
    permissions_boundary: Annotated[
        PolicyArn | None,
        _api(
            "The ARN of a managed policy that bounds every role.",
            example="arn:aws:iam::111122223333:policy/Boundary",
        ),
    ] = None
