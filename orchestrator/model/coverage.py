"""Which linked accounts the StackSet deploys to, and why it does not deploy to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from orchestrator.model.organization import Member, Organization
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
    "PENDING_ACTIVATION": "the account is not activated yet",
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
        deployed: the StackSet; None if there is none yet.
        targets: OU ids, or the root's.
        excluded: ids of the accounts that are not to be deployed to.
    """
    instances = dict(deployed.instances) if deployed else {}
    failures = _first_failures(instances.values())
    reached = {ou for ou in organization.parents if organization.is_under(ou, targets)}
    accounts, excluded = [], set(excluded)
    for member in organization.members:
        if member.account_id == organization.management_account_id:
            continue
        instance = instances.pop(member.account_id, None)
        if member.account_id in excluded:
            state, reason = _unwanted(State.EXCLUDED, "octo.yaml excludes it", instance)
        elif member.ou not in reached:
            state, reason = _unwanted(
                State.OUTSIDE,
                f"{member.ou} is in none of the targets",
                instance,
                f" (it was moved from {instance.ou})" if instance and instance.ou else "",
            )
        elif not member.active:
            state, reason = _inactive(member, instance)
        else:
            state, reason = _deployed(instance, failures)
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


def _unwanted(
    state: State, reason: str, instance: StackInstance | None, moved: str = ""
) -> tuple[State, str]:
    """Judge an account outside the deployment; a stack instance in it is excess."""
    if instance is None:
        return state, reason
    return State.EXCESS, f"{reason}, but the StackSet still has it{moved}"


def _inactive(member: Member, instance: StackInstance | None) -> tuple[State, str]:
    """Judge an account that is not active; CloudFormation does not deploy to it."""
    state = State.SUSPENDED if member.state == "SUSPENDED" else State.INACTIVE
    reason = _INACTIVE.get(member.state, f"AWS says the account is {member.state}")
    return state, f"{reason}; the StackSet still has it" if instance is not None else reason


def _deployed(
    instance: StackInstance | None, failures: Mapping[str, StackInstance]
) -> tuple[State, str]:
    """Judge an account that is to have the role, by its instance."""
    if instance is None:
        return State.MISSING, "the StackSet has no instance for it"
    if instance.is_current:
        return State.CURRENT, ""
    if instance.is_running:
        return State.RUNNING, "CloudFormation is deploying to it"
    return State.FAILED, _failure(instance, failures)


def _first_failures(instances: Iterable[StackInstance]) -> dict[str, StackInstance]:
    """Return the first account, by id, that failed of itself in each operation."""
    failed = [i for i in instances if i.detailed == "FAILED"]
    return {i.operation_id: i for i in sorted(failed, key=lambda i: i.account_id, reverse=True)}


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
