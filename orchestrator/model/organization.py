"""The organization: its tree of OUs and its accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Member:
    """An account of the organization.

    Attributes:
        name: its name in the organization.
        state: its state in Organizations: ACTIVE, SUSPENDED, PENDING_CLOSURE, CLOSED,
            PENDING_ACTIVATION, or one that is newer than octo-tf; empty if AWS returns none.
        ou: the OU (or root) that it is directly in.
    """

    account_id: str
    name: str
    state: str
    ou: str

    @property
    def active(self) -> bool:
        """Tell whether the account can be used; an unknown state counts as inactive."""
        return self.state == "ACTIVE"


@dataclass(frozen=True)
class Organization:
    """An organization's tree: each OU's parent (None for the root), and every account.

    ``names``: the OUs' names, as far as they were read. ``organization_id``: like ``o-abcde12345``.
    """

    root: str
    parents: dict[str, str | None]
    members: tuple[Member, ...]
    management_account_id: str
    names: dict[str, str] = field(default_factory=dict)
    organization_id: str = ""

    def path(self, place: str) -> tuple[str, ...]:
        """List the units from the root to an OU, both included."""
        found: list[str] = []
        current: str | None = place
        while current is not None:
            found.append(current)
            current = self.parents.get(current)
        return tuple(reversed(found))

    def is_under(self, ou: str, targets: Iterable[str]) -> bool:
        """Tell whether an OU is one of the targets, or nested in one."""
        wanted = set(targets)
        current: str | None = ou
        while current is not None:
            if current in wanted:
                return True
            current = self.parents.get(current)
        return False

    def overlap(self, ou: str, targets: Iterable[str]) -> bool:
        """Tell whether an OU shares accounts with a target: they are equal or one is nested."""
        wanted = list(targets)
        return self.is_under(ou, wanted) or any(self.is_under(t, [ou]) for t in wanted)
