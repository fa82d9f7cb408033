"""What an organization's policies deny in linked accounts, and the exemption that ends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from orchestrator.model.control_policies import ControlPolicy
from orchestrator.model.policy import as_list, statements


class Phase(str, Enum):
    """What is denied.

    The StackSet's deployment, Octo's AssumeRole, calls that Octo makes, or what the StackSet
    changes and removes later.
    """

    DEPLOYMENT = "deployment"
    ACCESS = "access"
    CALLS = "calls"
    CHANGES = "changes"


@dataclass(frozen=True)
class Exempted:
    """An exemption from a statement: a negated operator, a condition key and its values."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Obstacle:
    """A statement that denies something in accounts, or a level that does not allow it.

    Attributes:
        phase: what is denied.
        certain: whether it certainly is; otherwise it depends on ``keys``.
        policies: the policy of the statement; the policies of the level that does not allow it.
        number: the statement's place in the policy, from 1; 0 where nothing allows.
        name: ``statement`` with its Sid or number; empty where nothing allows.
        actions: what is denied, sorted.
        keys: the condition keys that decide, in lower case.
        accounts: the accounts that it concerns, sorted.
        places: the roots, OUs and accounts by which the policies reach them, sorted.
        exempted: the exemption that ends it.
    """

    phase: Phase
    certain: bool
    policies: tuple[ControlPolicy, ...]
    number: int
    name: str
    actions: tuple[str, ...]
    keys: tuple[str, ...]
    accounts: tuple[str, ...]
    places: tuple[str, ...]
    exempted: Exempted

    @property
    def cuts_off(self) -> bool:
        """Whether the accounts certainly get no role, or one that Octo cannot assume."""
        return self.certain and self.phase in (Phase.DEPLOYMENT, Phase.ACCESS)

    @property
    def keeps_role(self) -> bool:
        """Whether the StackSet certainly cannot remove the role from the accounts."""
        removes = any(":Delete" in action for action in self.actions)
        return self.certain and self.phase is Phase.CHANGES and removes

    @property
    def statement(self) -> Mapping[str, Any]:
        """The statement as it is now; empty where nothing allows."""
        return statements(self.policies[0].document)[self.number - 1] if self.number else {}

    @property
    def exemption(self) -> dict[str, Any]:
        """The statement with the exemption in it; the one to add where nothing allows."""
        if self.number:
            return exempt(self.statement, self.exempted)
        return {
            "Sid": "OctoTf" + self.phase.value.capitalize(),
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": "*",
        }

    @property
    def alternatives(self) -> tuple[str, ...]:
        """List settings of octo.yaml by which the statement would not apply either."""
        if self.phase is not Phase.DEPLOYMENT or not self.number:
            return ()
        found = []
        for operator, keys in (self.statement.get("Condition") or {}).items():
            for key, wanted in keys.items():
                values = ", ".join(str(value) for value in as_list(wanted))
                name, negated = key.lower(), "not" in operator.lower()
                if name == "iam:permissionsboundary":
                    shown = f": {values}" if negated else ""
                    found.append(f"set permissions_boundary to the boundary that it demands{shown}")
                elif name == "aws:requestedregion" and negated:
                    found.append(f"if there is no StackSet yet, set region to one of {values}")
                elif name.startswith("aws:requesttag/"):
                    found.append(f"set tags with {key.partition('/')[2]}")
        return tuple(dict.fromkeys(found))


def exempt(statement: Mapping[str, Any], exempted: Exempted) -> dict[str, Any]:
    """Return a Deny statement with an exemption added, and nothing else changed.

    If the statement has exemptions by this key already, the values are added to them.
    """
    made: dict[str, Any] = json.loads(json.dumps(statement))
    condition = made.setdefault("Condition", {})
    fitting = {exempted.operator.lower(), exempted.operator.lower().replace("arn", "string")}
    if exempted.operator == "StringNotEquals":
        fitting.add("stringnotlike")
    for operator, keys in condition.items():
        plain = operator.lower().rpartition(":")[2].removesuffix("ifexists")
        for key in keys:
            if plain in fitting and key.lower() == exempted.key.lower():
                keys[key] = [*as_list(keys[key]), *exempted.values]
                return made
    one = exempted.values[0] if len(exempted.values) == 1 else [*exempted.values]
    condition.setdefault(exempted.operator, {})[exempted.key] = one
    return made
