"""Which linked accounts the StackSet reaches, and why the others not. Pure: no AWS calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from orchestrator.model.organization import Organization
from orchestrator.model.stackset import DeployedStackSet


class State(str, Enum):
    """Where a linked account stands."""

    CURRENT = "current"
    RUNNING = "running"
    FAILED = "failed"
    MISSING = "missing"
    EXCESS = "excess"
    EXCLUDED = "excluded"
    SUSPENDED = "suspended"
    INACTIVE = "inactive"
    OUTSIDE = "outside"


# The states of accounts that should be reached and are not.
WANTING = (State.FAILED, State.MISSING)

# Why an account that is not active is left out, by its state in Organizations.
_INACTIVE = {
    "SUSPENDED": "AWS has suspended the account",
    "PENDING_CLOSURE": "the account is being closed",
    "CLOSED": "the account is closed",
    "": "AWS does not say whether the account is active",
}


@dataclass(frozen=True)
class Standing:
    """One linked account: where it stands and, unless that says it all, why."""

    account_id: str
    name: str
    state: State
    reason: str = ""


@dataclass(frozen=True)
class Coverage:
    """Every linked account's standing, by account id."""

    accounts: tuple[Standing, ...]

    def of(self, *states: State) -> list[Standing]:
        """The accounts that stand in one of these states."""
        return [standing for standing in self.accounts if standing.state in states]

    @property
    def counts(self) -> dict[str, int]:
        """How many accounts stand in each state that occurs, in the order of ``State``."""
        counted = Counter(standing.state for standing in self.accounts)
        return {state.value: counted[state] for state in State if counted[state]}

    @property
    def wanted(self) -> int:
        """How many accounts should be reached."""
        return len(self.of(State.CURRENT, State.RUNNING, *WANTING))


def cover(
    organization: Organization,
    deployed: DeployedStackSet | None,
    *,
    targets: Collection[str],
    excluded: Collection[str],
) -> Coverage:
    """Puts the organization beside the StackSet's instances.

    Args:
        organization: every account.
        deployed: the stack set; None if there is none yet.
        targets: OU ids, or the root's.
        excluded: account ids to leave out.
    """
    instances = dict(deployed.instances) if deployed else {}
    reached = {ou for ou in organization.parents if organization.is_under(ou, targets)}
    standings = []
    for member in organization.members:
        if member.account_id == organization.management_account_id:
            continue
        instance = instances.pop(member.account_id, None)
        state, reason = State.MISSING, "the StackSet has no instance for it"
        if member.account_id in excluded or member.ou not in reached:
            out = member.account_id in excluded
            state = State.EXCLUDED if out else State.OUTSIDE
            reason = "octo.yaml excludes it" if out else f"{member.ou} is in none of the targets"
            if instance is not None:
                state, reason = State.EXCESS, f"{reason}, but the StackSet still has it"
        elif not member.active:
            state = State.SUSPENDED if member.state == "SUSPENDED" else State.INACTIVE
            reason = _INACTIVE.get(member.state, f"AWS says the account is {member.state}")
        elif instance is not None and instance.is_current:
            state, reason = State.CURRENT, ""
        elif instance is not None and instance.is_running:
            state, reason = State.RUNNING, "CloudFormation is at work"
        elif instance is not None:
            state = State.FAILED
            reason = instance.reason or f"its instance is {instance.detailed or instance.status}"
        standings.append(Standing(member.account_id, member.name, state, reason))
    standings += [
        Standing(account_id, "", State.EXCESS, "it has left the organization")
        for account_id in instances
    ]
    return Coverage(tuple(sorted(standings, key=lambda s: s.account_id)))
