"""Which linked accounts the StackSet deploys to, and why it does not deploy to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

from orchestrator.model.organization import Organization
from orchestrator.model.stackset import StackInstance, StackSet


class State(str, Enum):
    """Whether a linked account has the role, or why it does not."""

    CURRENT = "current"
    RUNNING = "running"
    FAILED = "failed"
    MISSING = "missing"
    EXCESS = "excess"
    EXCLUDED = "excluded"
    SUSPENDED = "suspended"
    INACTIVE = "inactive"
    OUTSIDE = "outside"


# The states of accounts that should have the role and do not.
WANTING = (State.FAILED, State.MISSING)

# Why an account that is not active is left out, by its state in Organizations.
_INACTIVE = {
    "SUSPENDED": "AWS has suspended the account",
    "PENDING_CLOSURE": "the account is being closed",
    "CLOSED": "the account is closed",
    "": "AWS does not say whether the account is active",
}


@dataclass(frozen=True)
class LinkedAccount:
    """A linked account with its state; ``reason`` is empty where the state needs none.

    ``ou``: the OU (or root) that it is directly in; empty if it left the organization.
    """

    account_id: str
    name: str
    state: State
    reason: str = ""
    ou: str = ""


@dataclass(frozen=True)
class Unit:
    """An OU, or the root: its name where it was read, and its parent (None for the root)."""

    name: str
    parent: str | None


@dataclass(frozen=True)
class Coverage:
    """Every linked account, sorted by id, and the organization's units by id."""

    accounts: tuple[LinkedAccount, ...]
    units: Mapping[str, Unit] = field(default_factory=dict)

    def of(self, *states: State) -> list[LinkedAccount]:
        """List the accounts in one of these states."""
        return [account for account in self.accounts if account.state in states]

    @property
    def counts(self) -> dict[str, int]:
        """Count the accounts in each state that occurs, in the order of ``State``."""
        counted = Counter(account.state for account in self.accounts)
        return {state.value: counted[state] for state in State if counted[state]}

    @property
    def wanted(self) -> int:
        """Count the accounts that should have the role."""
        return len(self.of(State.CURRENT, State.RUNNING, *WANTING))


def cover(
    organization: Organization,
    deployed: StackSet | None,
    *,
    targets: Collection[str],
    excluded: Collection[str],
) -> Coverage:
    """Compare the organization's accounts with the StackSet's stack instances.

    Args:
        organization: every account.
        deployed: the StackSet; None if there is none yet.
        targets: OU ids, or the root's.
        excluded: ids of the accounts that are not to be deployed to.
    """
    instances = dict(deployed.instances) if deployed else {}
    failures = {
        i.operation_id: i
        for i in sorted(instances.values(), key=lambda i: i.account_id, reverse=True)
        if i.detailed == "FAILED"
    }
    reached = {ou for ou in organization.parents if organization.is_under(ou, targets)}
    accounts = []
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
                moved = f" (it was moved from {instance.ou})" if not out and instance.ou else ""
                state, reason = State.EXCESS, f"{reason}, but the StackSet still has it{moved}"
        elif not member.active:
            state = State.SUSPENDED if member.state == "SUSPENDED" else State.INACTIVE
            reason = _INACTIVE.get(member.state, f"AWS says the account is {member.state}")
            reason += "; the StackSet still has it" if instance is not None else ""
        elif instance is not None and instance.is_current:
            state, reason = State.CURRENT, ""
        elif instance is not None and instance.is_running:
            state, reason = State.RUNNING, "CloudFormation is deploying to it"
        elif instance is not None:
            state, reason = State.FAILED, _failure(instance, failures)
        accounts.append(LinkedAccount(member.account_id, member.name, state, reason, member.ou))
    accounts += [
        LinkedAccount(account_id, "", State.EXCESS, "it has left the organization")
        for account_id in instances
    ]
    units = {
        ou: Unit(organization.names.get(ou, ""), parent)
        for ou, parent in organization.parents.items()
    }
    return Coverage(tuple(sorted(accounts, key=lambda s: s.account_id)), units)


def _failure(instance: StackInstance, failures: Mapping[str, StackInstance]) -> str:
    """Say why an instance failed; ``failures`` has the first that failed of each operation."""
    culprit = failures.get(instance.operation_id)
    if instance.detailed == "CANCELLED" and culprit is not None:
        return (
            f"not tried: the same operation failed in account {culprit.account_id} first"
            f" ({culprit.reason or 'no reason given'})"
        )
    if instance.detailed == "SKIPPED_SUSPENDED_ACCOUNT":
        return "the account was suspended when it was to be deployed to, and is active again"
    if instance.detailed == "INOPERABLE":
        return (
            "CloudFormation cannot change its stack any more: delete the stack instance with its"
            " stack retained, and then the stack in the account"
            + (f" ({instance.reason})" if instance.reason else "")
        )
    return instance.reason or f"its instance is {instance.detailed or instance.status}"
