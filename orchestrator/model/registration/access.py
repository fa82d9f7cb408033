"""The settings that say which account is meant, and how it is reached."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from orchestrator.model.registration.field_types import AccountId, Line, Region, Section, Text, Time
from orchestrator.model.setting import Group, Setting

_account = partial(Setting, group=Group.ACCOUNT)


class AssumeRoleSettings(Section):
    """The role that octo-tf and Terraform's provider assume to reach the account."""

    role_arn: Annotated[
        str,
        StringConstraints(pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:role/.+$"),
        _account(
            "The role to assume in the account.",
            example="arn:aws:iam::111122223333:role/Deploy",
            flag="--role",
        ),
    ]
    session_name: Annotated[
        str,
        StringConstraints(pattern=r"^[\w+=,.@-]{2,64}$"),
        _account("The name of the session, which CloudTrail shows."),
    ] = "octo-tf"
    external_id: Annotated[
        Line | None,
        _account("The external id that this role asks for; not the one of Octo."),
    ] = None


class Credentials(Section):
    """Where credentials come from; never the keys themselves. Empty: the ambient chain."""

    profile: Annotated[
        Line | None,
        _account(
            "The AWS profile to use.",
            example="production",
            default="the ambient credentials",
            flag="--aws-profile",
            common=True,
        ),
    ] = None
    assume_role: Annotated[
        AssumeRoleSettings | None,
        _account("The role to assume, from the profile or the ambient credentials."),
    ] = None

    @property
    def cli_profile(self) -> str | None:
        """The AWS CLI profile for the account; None for the environment's credentials.

        None with ``assume_role``, too: with ``profile`` alone, the CLI would not assume the role.
        """
        return None if self.assume_role else self.profile


class Access(Section):
    """How an account is reached, and which one is meant, before it is said what to register."""

    account_id: AccountId | None = None
    account_name: Annotated[
        Line | None,
        _account(
            "The name of the account in Octo.",
            example="Production",
            module_input=False,
        ),
    ] = None
    account_type: Annotated[
        Literal["payer", "linked", "standalone"] | None,
        _account("The kind of account.", default="as its organization says"),
    ] = None
    region: Annotated[
        Region,
        _account(
            "The region to work in; a StackSet is there.",
            example="eu-west-1",
            common=True,
            module_input=False,
        ),
    ] = "us-east-1"
    credentials: Annotated[
        Credentials,
        _account(
            "How to reach the account: by a profile, a role, or the ambient AWS credentials.",
            module_input=False,
        ),
    ] = Field(default_factory=Credentials)


class ExternalIdSource(Section):
    """The settings that give the external id: at most one of them; with none, Octo is asked."""

    external_id: Annotated[
        Text | None, _account("The external id that Octo shows for this account.")
    ] = None
    external_id_env: Annotated[
        Text | None,
        _account(
            "The environment variable that holds the external id.", example="OCTO_EXTERNAL_ID"
        ),
    ] = None
    external_id_file: Annotated[
        Text | None,
        _account(
            "The file that holds the external id; do not commit it.",
            example="octo.external-id",
            common=True,
        ),
    ] = None


class ExternalIdRotation(Section):
    """Two external ids while Octo goes over from one to the other: the present and the new one.

    ``ids`` is resolved: it holds the ids wherever they came from.
    """

    ids: Annotated[list[SecretStr] | None, _account("The two ids, the new one last.")] = Field(
        default=None, max_length=2, min_length=2
    )
    ids_env: Annotated[
        Text | None,
        _account(
            "The environment variable that holds the two ids, with a space between them.",
            example="OCTO_EXTERNAL_IDS",
        ),
    ] = None
    ids_file: Annotated[
        Text | None,
        _account(
            "The file that holds the two ids, one a line; do not commit it.",
            example="octo.external-id-rotation",
        ),
    ] = None
    since: Annotated[
        Time | None,
        _account("When the rotation began (ISO 8601).", example="2026-11-27T09:00:00+00:00"),
    ] = None


EXTERNAL_ID_SOURCES = tuple(ExternalIdSource.model_fields)
