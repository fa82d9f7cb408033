"""What Octo's newest template asks for beyond what an account grants, and what grants it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from orchestrator.model.effects import role_change
from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.octo_names import READING_ROLES
from orchestrator.model.observed import Role
from orchestrator.model.policy import allowed, matches
from orchestrator.model.policy.abilities import Ability
from orchestrator.model.policy.classification import Access, access
from orchestrator.model.registration.module_rules import ReadAction
from orchestrator.model.words import listed

_SHOWN = 12  # actions that a sentence names
Remedy = Literal[
    "apply",  # a chosen feature has them: the role differs from octo.yaml
    "feature",  # a feature that is not chosen has them
    "additional_actions",  # they list or read, and no feature has them
    "upgrade",  # this octo-tf does not know the role
    "not_granted",  # they change something, read data or reach too far: octo-tf does not grant them
]


@dataclass(frozen=True)
class MissingActions:
    """Actions that the template grants a role, and the account does not.

    Attributes:
        actions: sorted; or the ARN of a managed policy, whose content is AWS's.
        remedy: what grants them.
        feature: of ``apply`` and ``feature``: its name.
        is_new: whether the template by which the account was registered does not grant them.
    """

    role: str
    actions: tuple[str, ...]
    remedy: Remedy
    feature: str = ""
    is_new: bool = True

    @property
    def in_words(self) -> str:
        """The actions for a person: the first of them, and how many more there are."""
        return listed(self.actions, _SHOWN)


@dataclass(frozen=True)
class OutdatedAccess:
    """An access that Octo calls outdated.

    Attributes:
        template_version: the version of Octo's newest template.
        known_version: the version that Octo has noted for the account; may be empty.
        template_url: where the template is, for everybody to read.
        missing: what the account does not grant of it; None where that is not known.
        unread: what could not be read, with the reason; empty otherwise.
    """

    template_version: str
    known_version: str
    template_url: str
    missing: tuple[MissingActions, ...] | None = None
    unread: str = ""

    @property
    def added(self) -> tuple[MissingActions, ...]:
        """What is missing and new in the template."""
        return tuple(one for one in self.missing or () if one.is_new)


def compare(
    granted: Mapping[str, Role],
    asked: Mapping[str, Role],
    earlier: Mapping[str, Role] | None,
    features: Collection[str],
) -> tuple[MissingActions, ...]:
    """List what a template grants its roles and the account's roles of the same names lack.

    Resources and conditions are not compared: an action that the account's role may do on fewer
    resources is ``not_granted``.

    Args:
        granted: the account's roles by name, as AWS has them.
        asked: the newest template's.
        earlier: those of the template by which the account was registered; None if it is unknown,
            and everything is new then.
        features: those that octo.yaml chooses.
    """
    found: dict[tuple[str, Remedy, str, bool], set[str]] = defaultdict(set)
    remedy: Remedy
    for name, role in asked.items():
        own, before = granted.get(name), earlier.get(name) if earlier else None
        old = {a for ability in _abilities(None, before) for a in ability.actions}
        for ability in _abilities(own, role):
            for action in ability.actions:
                limited = own is not None and any(matches(action, p) for p in _allowed(own))
                remedy, feature = (
                    ("not_granted", "") if limited else _remedy(name, action, {*features, "cost"})
                )
                found[name, remedy, feature, action not in old].add(action)
        for arn in set(role.managed) - set(own.managed if own else ()):
            is_old = before is not None and arn in before.managed
            found[name, "not_granted", "", not is_old].add(arn)
    return tuple(
        MissingActions(role, tuple(sorted(actions)), remedy, feature, is_new)
        for (role, remedy, feature, is_new), actions in sorted(found.items())
    )


def _abilities(before: Role | None, after: Role | None) -> Iterator[Ability]:
    if after is not None:
        change = role_change(before, after, {}).abilities
        yield from (*change.gained, *change.freed)


def _allowed(role: Role) -> list[str]:
    policies = (*role.inline.values(), *role.managed.values())
    return [pattern for policy in policies if policy for pattern in allowed(policy)]


def _remedy(role: str, action: str, features: Collection[str]) -> tuple[Remedy, str]:
    known = table().features
    with_role = [name for name in known if role in known[name].roles]
    if not with_role:
        return "upgrade", ""
    granting = [n for n in known if any(matches(action, p) for p in _patterns(n, role))]
    is_there = any(name in features for name in with_role)  # the account has the role
    if is_there and (chosen := [name for name in granting if name in features]):
        return "apply", chosen[0]
    wanted = [name for name in granting if name in with_role and name not in features]
    if wanted or not is_there:
        return "feature", (wanted or with_role)[0]
    if role in READING_ROLES and _may_be_added(action):
        return "additional_actions", ""
    return "not_granted", ""


def _may_be_added(action: str) -> bool:
    """Tell whether ``additional_actions`` takes an action; one that is new to this octo-tf too."""
    try:
        TypeAdapter(ReadAction).validate_python(action)
    except ValidationError:
        return False
    return access(action) in (Access.LIST, Access.READ, Access.UNKNOWN)


@cache
def _patterns(feature: str, role: str) -> tuple[str, ...]:
    """List the actions that a feature grants a role; any of those that read, if it is one."""
    roles = READING_ROLES if role in READING_ROLES else (role,)
    policies = [p for one in roles for p in documents.of_features(one, [feature]).values()]
    return tuple(pattern for policy in policies for pattern in allowed(policy))
