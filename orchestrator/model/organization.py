"""The organization: its tree of OUs, and every account in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """An account of the organization.

    Attributes:
        account_id: its id.
        name: its name in the organization.
        state: as Organizations says it: ACTIVE, SUSPENDED, PENDING_CLOSURE, CLOSED,
            PENDING_ACTIVATION, or a state that is newer than this; empty if it says none.
        ou: the OU (or root) that it is directly in.
    """

    account_id: str
    name: str
    state: str
    ou: str

    @property
    def active(self) -> bool:
        """Whether the account can be used; an unknown state counts as inactive."""
        return self.state == "ACTIVE"


@dataclass(frozen=True)
class Organization:
    """An organization's tree: each OU's parent (None for the root), and every account."""

    root: str
    parents: dict[str, str | None]
    members: tuple[Member, ...]
    management_account_id: str

    def is_under(self, ou: str, targets: Iterable[str]) -> bool:
        """Whether an OU is one of the targets, or nested in one."""
        wanted = set(targets)
        found: str | None = ou
        while found is not None:
            if found in wanted:
                return True
            found = self.parents.get(found)
        return False

    def overlap(self, ou: str, targets: Iterable[str]) -> bool:
        """Whether an OU shares accounts with a target: one is the other, or inside it."""
        wanted = list(targets)
        return self.is_under(ou, wanted) or any(self.is_under(t, [ou]) for t in wanted)
