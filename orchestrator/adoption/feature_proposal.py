"""Propose the features by which existing roles keep what Octo does with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.documents import action_sid
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.octo_names import (
    ADDITIONAL,
    API_ROLE,
    EXECUTOR_ROLE,
    READING_ROLES,
    SEARCHER_ROLE,
    is_managed,
    linked_logical_id,
)
from orchestrator.model.observed import Document, Role
from orchestrator.model.policy import allowed, matches, statements
from orchestrator.model.stackset import TemplateContent


def propose(roles: Mapping[str, Role]) -> dict[str, Any]:
    """Return the settings of the features whose roles or policies exist.

    Policies of octo-tf's own names are those of a registration whose state was lost. The roles of
    execution alone do not make the feature: what it may do has to be chosen by name.
    """
    inline = {name: role.inline for name, role in roles.items()}
    settings: dict[str, Any] = {}
    features = _features(inline)
    features += [name for name in today(roles) if name not in (*features, "execution")]
    if additional := _additional_actions(roles.get(API_ROLE)):
        settings["additional_actions"] = additional
    if "execution" in features:
        execution = _execution(inline.get(EXECUTOR_ROLE, {}))
        if execution:
            settings |= execution
        else:
            features.remove("execution")
    if len(features) > 1:
        settings["features"] = features
    return settings


def _additional_actions(role: Role | None) -> list[str]:
    """Read the additional actions from a role's policies of octo-tf's own names."""
    managed = (
        {arn.rpartition("/")[2]: policy for arn, policy in role.managed.items()} if role else {}
    )
    found = [policy for name, policy in managed.items() if is_managed(name)]
    if role:
        found.append(role.inline.get(ADDITIONAL))
    return sorted({action for policy in found if policy for action in allowed(policy)})


def today(roles: Mapping[str, Role]) -> dict[str, tuple[str, ...]]:
    """Return the features that Octo has in an account besides cost, each with its roles.

    What the roles may do shows it, since templates of others name their policies otherwise: at
    least half of a feature's own actions. A role that may do everything shows nothing.
    """
    reading = {name: roles[name] for name in READING_ROLES if name in roles}
    basic = {*_actions("cost")}
    found: dict[str, tuple[str, ...]] = {}
    for feature in table().features:
        own = [action for action in _actions(feature) if action not in basic]
        if feature == "execution":
            having = [name for name in table().features[feature].roles if name in roles]
        else:
            having = [
                name
                for name, role in reading.items()
                if own and 2 * sum(_may(role, action) for action in own) >= len(own)
            ]
        if feature == "recommendations" and SEARCHER_ROLE in roles and not having:
            having = [SEARCHER_ROLE]
        if having and feature != "cost":
            found[feature] = tuple(having)
    return found


def _actions(feature: str) -> list[str]:
    """List the actions that a feature grants to the API access role."""
    policies = documents.of_features(API_ROLE, [feature])
    return [action for policy in policies.values() for action in allowed(policy)]


def _may(role: Role, action: str) -> bool:
    return any(
        pattern != "*" and matches(action, pattern)
        for document in role.documents.values()
        for pattern in allowed(document)
    )


def of_stack_set(content: TemplateContent, features: Sequence[str]) -> list[str]:
    """Return the features that linked accounts have of those of the account itself.

    A StackSet that is not octo-tf's gets all of them, but execution.
    """
    inline = content.role.inline if content.role else {}
    if "octo-cost" not in inline:
        return [name for name in features if name != "execution"]
    kept = {str(other).partition(" ")[0] for other in content.others}
    return [
        name
        for name in features
        if any(
            set(policies) <= set(inline) if role == API_ROLE else linked_logical_id(role) in kept
            for role, policies in table().features[name].roles.items()
        )
        or not table().features[name].roles
    ]


def _features(inline: Mapping[str, Mapping[str, Document]]) -> list[str]:
    return [
        name
        for name, feature in table().features.items()
        if name == "cost"
        or any(set(policies) <= set(inline.get(r, {})) for r, policies in feature.roles.items())
    ]


def _execution(policies: Mapping[str, Document]) -> dict[str, Any]:
    """Read the chosen actions and their tag from the executor's policy; empty if it has none."""
    known = {f"{action_sid(name)}{n}": name for name in table().execution_actions for n in range(9)}
    found = [
        (known[sid], statement)
        for policy in policies.values()
        for statement in statements(policy)
        if (sid := str(statement.get("Sid"))) in known
    ]
    if not found:
        return {}
    chosen = sorted({name for name, _ in found})
    settings: dict[str, Any] = {"execution_actions": chosen}
    if any(table().execution_actions[name].deletes for name in chosen):
        settings["execution_may_delete"] = True
    conditions = [s["Condition"].get("StringEquals", {}) for _, s in found if "Condition" in s]
    tags = {key.partition("/")[2]: str(v) for one in conditions for key, v in one.items()}
    return {**settings, "execution_tag": tags} if tags else settings
