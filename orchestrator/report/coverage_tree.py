"""The organization as a tree: each OU with its linked accounts, by state and reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.model.coverage import WANTING, Coverage, LinkedAccount, State

_PROBLEMS = {*WANTING, State.EXCESS, State.RUNNING}
_NO_MEMBERS = "no longer in the organization"


@dataclass(frozen=True)
class Group:
    """Accounts that are in one state for one reason."""

    state: State
    reason: str
    accounts: tuple[LinkedAccount, ...]


@dataclass(frozen=True)
class Branch:
    """An OU, or the root, with what is in it.

    Attributes:
        id: its id; empty of the accounts that left the organization.
        name: its name, or its id where the name was not read.
        groups: the accounts directly in it; those that need attention come first.
        branches: the OUs directly in it, by name.
        counts: the number of accounts in each state, with those of nested OUs.
    """

    id: str
    name: str
    groups: tuple[Group, ...]
    branches: tuple[Branch, ...]
    counts: Mapping[State, int]

    @property
    def has_problems(self) -> bool:
        """Tell whether an account in it, or in a nested OU, needs attention."""
        return any(state in _PROBLEMS for state in self.counts)


def tree(coverage: Coverage) -> tuple[Branch, ...]:
    """Arrange the accounts by OU: the root, then the accounts that left the organization."""
    members: dict[str, list[LinkedAccount]] = defaultdict(list)
    for account in coverage.accounts:
        members[account.ou if account.ou in coverage.units else ""].append(account)
    children: dict[str | None, list[str]] = defaultdict(list)
    for unit_id, unit in coverage.units.items():
        children[unit.parent].append(unit_id)

    def branch(unit_id: str) -> Branch:
        nested = [branch(child) for child in children[unit_id]]
        groups = _groups(members[unit_id])
        counts = {
            state: sum(len(g.accounts) for g in groups if g.state is state)
            + sum(b.counts.get(state, 0) for b in nested)
            for state in State
        }
        name = coverage.units[unit_id].name if unit_id else _NO_MEMBERS
        return Branch(
            unit_id,
            name or ("Root" if children[None] == [unit_id] else unit_id),
            groups,
            tuple(sorted(nested, key=lambda b: b.name)),
            {state: count for state, count in counts.items() if count},
        )

    return tuple(branch(unit_id) for unit_id in [*children[None], *([""] if members[""] else [])])


def problems(accounts: Iterable[LinkedAccount]) -> tuple[Group, ...]:
    """Group the accounts that need attention by state and reason."""
    return _groups(account for account in accounts if account.state in _PROBLEMS)


def _groups(accounts: Iterable[LinkedAccount]) -> tuple[Group, ...]:
    found: dict[tuple[State, str], list[LinkedAccount]] = defaultdict(list)
    for account in accounts:
        found[account.state, account.reason].append(account)
    order = [State.FAILED, State.MISSING, State.EXCESS, State.RUNNING, *State]
    return tuple(
        Group(state, reason, tuple(found[state, reason]))
        for state, reason in sorted(found, key=lambda key: (order.index(key[0]), key[1]))
    )
