"""Read the module's table of features: what each shows in Octo, needs in AWS, and grants.

Source: ``terraform/modules/octo/features.yaml``, which the module reads too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from orchestrator import assets
from orchestrator.files import read_regular
from orchestrator.model.enrolment import ServiceName
from orchestrator.model.module_contract.octo_names import (
    ADDITIONAL,
    API_ROLE,
    CUR_ROLE,
    MANAGED_ADDITIONAL,
    READING_ROLES,
)

Trust = Literal["external_id", "systems_manager", "account"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Enrolment(_Entry):
    """What has to be switched on in AWS.

    ``service``: octo-tf does it, after consent. ``page``: the account's owner does it there.
    """

    what: str
    service: ServiceName | None = None
    page: str = ""

    @property
    def by(self) -> str:
        """Who does it, in words."""
        return "octo-tf, after consent" if self.service else f"the account's owner: {self.page}"


class Feature(_Entry):
    """A feature of Octo.

    ``roles``: the files of its policies by role and policy. ``probes``: actions that only read,
    without parameters. ``report``: schema elements that the
    report needs. ``notices``: what is said before somebody consents to the feature. ``sources``:
    keys of the table's sources.
    """

    shows: str
    lost: str
    roles: Mapping[str, Mapping[str, str]]
    probes: tuple[str, ...]
    report: tuple[str, ...]
    enrolment: tuple[Enrolment, ...]
    needs: tuple[str, ...]
    notices: tuple[str, ...]
    sources: tuple[str, ...]
    seen_live: bool


class OctoRole(_Entry):
    """A role that Octo looks for by its name, and who may assume it."""

    description: str
    trust: Trust


class Change(_Entry):
    """Actions of an execution action, and the resources that they may change.

    ``resources``: ARNs without ``arn:PARTITION:``, ``{account}`` for the account's id.
    ``tagged``: whether ``execution_tag`` limits them.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    tagged: bool


class ExecutionAction(_Entry):
    """A recommendation that Octo can carry out."""

    recommendation: str
    deletes: bool
    reads: tuple[str, ...]
    changes: tuple[Change, ...]
    note: str


class Table(_Entry):
    """The table of features, in its order."""

    sources: Mapping[str, str]
    features: Mapping[str, Feature]
    roles: Mapping[str, OctoRole]
    execution_actions: Mapping[str, ExecutionAction]
    not_offered: tuple[str, ...]


@cache
def table(module: Path = assets.MODULE) -> Table:
    """Read the table of a module's folder, once."""
    from ruamel.yaml import YAML  # takes a while to load, and most commands need no table

    text = read_regular(module / "features.yaml").decode()
    return Table.model_validate(YAML(typ="safe", pure=True).load(text))


def feature_roles(features: Iterable[str]) -> list[str]:
    """List the roles that features need besides the API access role and the CUR role, sorted."""
    found = {role for name in features for role in table().features[name].roles}
    return sorted(found - {API_ROLE, CUR_ROLE})


def policy_names(role: str) -> list[str]:
    """List the policies that a role can have, by all features and by additional actions."""
    features = table().features.values()
    names = [name for feature in features for name in feature.roles.get(role, {})]
    return [*names, ADDITIONAL, MANAGED_ADDITIONAL] if role in READING_ROLES else names


def enrolments(features: Iterable[str]) -> list[ServiceName]:
    """List the services that octo-tf enrols the account in for these features."""
    found = [one.service for name in features for one in table().features[name].enrolment]
    return [service for service in found if service]


def own_policies(feature: str, role: str) -> list[str]:
    """List the inline policies that a role has for one feature; cost's include the additional."""
    names = [*table().features[feature].roles.get(role, {})]
    return [*names, ADDITIONAL] if feature == "cost" and role in READING_ROLES else names


def schema_elements(features: Iterable[str]) -> list[str]:
    """List the schema elements that the report needs for these features."""
    return [element for name in features for element in table().features[name].report]
