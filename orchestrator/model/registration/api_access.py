"""The settings of the role by which Octo reads the account."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.model.module_contract import octo_names
from orchestrator.model.registration.field_types import Section
from orchestrator.model.registration.module_rules import Consent, OneTag, PolicyArn, ReadAction
from orchestrator.model.setting import Group, Setting

_api = partial(Setting, group=Group.API_ACCESS)


# By the names of the module's table of features; a test compares them.
FeatureName = Literal[
    "cost", "recommendations", "container_cost", "unit_metrics", "ai_cost", "execution"
]
ActionName = Literal[
    "abort_s3_uploads",
    "delete_ebs",
    "delete_load_balancer",
    "delete_rds",
    "release_address",
    "rightsize_ec2",
    "rightsize_ecs",
    "rightsize_lambda",
    "stop_ec2",
    "stop_rds",
    "terminate_ec2",
    "upgrade_ebs",
]


class ApiAccessSettings(Section):
    """Inputs of the module about the API access role."""

    principal: Annotated[
        Literal["131920598436"], _api("The AWS account of Octo itself; fixed.")
    ] = octo_names.PRINCIPAL
    features: Annotated[
        list[FeatureName] | None,
        _api(
            "What Octo can do; see octo-tf features.",
            example=["cost", "recommendations"],
            common=True,
        ),
    ] = None
    execution_actions: Annotated[
        list[ActionName] | None,
        _api(
            "With the feature execution: what Octo may carry out, each by name.",
            example=["stop_ec2"],
        ),
    ] = None
    execution_may_delete: Annotated[
        bool | None,
        _api("Allow those of the execution actions that delete something."),
    ] = None
    execution_tag: Annotated[
        OneTag | None,
        _api(
            "Limit execution to resources with this tag, where AWS evaluates tags.",
            example={"octo": "execute"},
        ),
    ] = None
    additional_actions: Annotated[
        list[ReadAction] | None,
        _api(
            "Actions that list or read, which Octo's support asks for beyond the features.",
            example=["rds:DescribeDBProxies"],
        ),
    ] = None
    accept: Annotated[
        list[Consent] | None,
        _api(
            "New permissions of Octo that no other setting names, as octo-tf plan words them.",
            example=["AlphausAcctAccessRole may s3:PutObject"],
            module_input=False,
            in_file_only=True,
        ),
    ] = None
    enrolment: Annotated[
        Literal["account", "organization", "none"] | None,
        _api(
            "Whom octo-tf enrols in the AWS services that recommendations come from;"
            " organization: a payer with its member accounts.",
            default="account",
            example="organization",
            module_input=False,
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
