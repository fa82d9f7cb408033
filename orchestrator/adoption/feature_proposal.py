"""Propose the features by which existing roles keep what Octo does with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.model.module_contract.documents import action_sid
from orchestrator.model.module_contract.features import ADDITIONAL, table
from orchestrator.model.module_contract.octo_names import (
    API_ROLE,
    EXECUTOR_ROLE,
    SEARCHER_ROLE,
    linked_logical_id,
)
from orchestrator.model.observed import Document, Role
from orchestrator.model.policy import allowed, statements
from orchestrator.model.stackset import TemplateContent


def propose(roles: Mapping[str, Role]) -> dict[str, Any]:
    """Return the settings of the features whose roles or policies exist.

    Policies of octo-tf's own names are those of a registration whose state was lost. The roles of
    execution alone do not make the feature: what it may do has to be chosen by name.
    """
    inline = {name: role.inline for name, role in roles.items()}
    settings: dict[str, Any] = {}
    features = _features(inline)
    if SEARCHER_ROLE in roles and "recommendations" not in features:
        features.append("recommendations")
    if additional := inline.get(API_ROLE, {}).get(ADDITIONAL):
        settings["additional_actions"] = allowed(additional)
    if "execution" in features:
        execution = _execution(inline.get(EXECUTOR_ROLE, {}))
        if execution:
            settings |= execution
        else:
            features.remove("execution")
    if len(features) > 1:
        settings["features"] = features
    return settings


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
