"""What each feature of the module's table costs in permissions: the actions that its roles get."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.model.module_contract import documents
from orchestrator.model.module_contract.features import table
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import CUR_ROLE, EXECUTOR_ROLE
from orchestrator.model.policy.classification import access, expand
from orchestrator.model.policy.document import allowed

_ACCOUNT = "111122223333"  # any: actions do not depend on it


@dataclass(frozen=True)
class Permissions:
    """What a role gets by a feature.

    Attributes:
        reads: how many actions list or read.
        changes: the actions that change something, sorted; for the executor of changes only those
            that it has whatever was chosen.
    """

    reads: int
    changes: tuple[str, ...]


def permissions(feature: str) -> Mapping[str, Permissions]:
    """Return what each role gets by a feature, by the role's name."""
    return {
        role: _sum(
            action
            for policy in _policies(role, feature).values()
            for pattern in allowed(policy)
            for action in expand(pattern)
        )
        for role in table().features[feature].roles
    }


def in_words(feature: str) -> str:
    """Say what a feature costs in permissions: ``ARole: 10 actions that list or read``."""
    costs = [f"{role}: {_words(role, one)}" for role, one in permissions(feature).items()]
    return "; ".join(costs) or "none"


def offered(names: Iterable[str]) -> Iterator[str]:
    """Describe features to choose from: what each shows, and what it costs in permissions."""
    for name in names:
        yield f"{name}: {table().features[name].shows}"
        yield f"  permissions: {in_words(name)}"


def _words(role: str, one: Permissions) -> str:
    words = [f"{one.reads} actions that list or read"] if one.reads else []
    words += [f"may {', '.join(one.changes)}"] if one.changes else []
    words += ["what execution_actions name"] if role == EXECUTOR_ROLE else []
    return ", ".join(words)


def _policies(role: str, feature: str) -> Mapping[str, Any]:
    if role == CUR_ROLE:
        return documents.cur_policies("arn:aws:s3:::bucket", "prefix")
    inputs = Inputs(_ACCOUNT, "bucket")
    return documents.role_policies(inputs, [feature], partition="aws", account_id=_ACCOUNT)[role]


def _sum(actions: Iterable[str]) -> Permissions:
    found = set(actions)
    changes = sorted(action for action in found if access(action).changes)
    return Permissions(len(found) - len(changes), tuple(changes))
