"""The settings of the StackSet, which gives Octo access to the linked accounts of a payer."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.model.registration.api_access import FeatureName
from orchestrator.model.registration.field_types import AccountId, Section, Target
from orchestrator.model.registration.module_rules import LogicalId, StackSetName
from orchestrator.model.setting import Group, Setting

_linked = partial(Setting, group=Group.LINKED_ACCOUNTS)


class LinkedAccountsSettings(Section):
    """Inputs of the module about the StackSet."""

    use_stackset: Annotated[
        bool,
        _linked(
            "Give Octo API access in every linked account, by a StackSet.",
            example=True,
            common=True,
        ),
    ] = False
    stackset_name: Annotated[
        StackSetName | None,
        _linked("The name of the StackSet; a change replaces it."),
    ] = None
    stackset_targets: Annotated[
        list[Target] | None,
        _linked(
            "The OUs that get API access, nested OUs included.",
            example=["ou-abcd-11111111"],
            default="the whole organization",
            common=True,
        ),
    ] = None
    stackset_excluded_accounts: Annotated[
        list[AccountId] | None,
        _linked(
            "The linked accounts to exclude.",
            example=["222233334444"],
        ),
    ] = None
    stackset_features: Annotated[
        list[FeatureName] | None,
        _linked(
            "The features of linked accounts; execution only where it is named here.",
            example=["cost"],
            default="as features says, without execution",
        ),
    ] = None
    stackset_max_concurrent_percentage: Annotated[
        Annotated[int, Field(ge=1, le=100)] | None,
        _linked("How many accounts CloudFormation works on at a time, in percent."),
    ] = None
    stackset_failure_tolerance_percentage: Annotated[
        Annotated[int, Field(ge=0, le=100)] | None,
        _linked("How many accounts may fail before CloudFormation stops, in percent."),
    ] = None
    stackset_retain_stacks: Annotated[
        bool | None,
        _linked(
            "Keep the roles of linked accounts when the StackSet or one of its targets is removed."
        ),
    ] = None
    stackset_retain_on_account_removal: Annotated[
        bool | None,
        _linked(
            "Keep the role of an account that leaves the targets; to change this setting replaces"
            " the StackSet."
        ),
    ] = None
    stackset_role_logical_id: Annotated[
        LogicalId | None,
        _linked("The logical id of the role in the template of an adopted StackSet."),
    ] = None
    stackset_role_path: Annotated[
        Literal["/"] | None,
        _linked("The role's path, if the template of an adopted StackSet states it."),
    ] = None
