"""A StackSet that is there → the settings by which it goes on reaching the same accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestrator.detection.compare import (
    PlannedStackSet,
    compare_stack_set,
    required_external_id,
)
from orchestrator.model.observed import ObservedStackSet, Removal
from orchestrator.model.organization import Organization
from orchestrator.stacks import documents
from orchestrator.stacks.inputs import Inputs


@dataclass
class Reach:
    """What becomes of a StackSet.

    Attributes:
        settings: for octo.yaml; empty where it is left as it is.
        removals: what taking it over takes away in every account; it needs consent.
        warnings: sentences that the user should read.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    removals: tuple[Removal, ...] = ()
    warnings: list[str] = field(default_factory=list)


def propose(
    stack_set: ObservedStackSet,
    members: Organization | None,
    *,
    external_id: str | None,
    tiers: list[str],
) -> Reach:
    """Decides whether it can be taken over, and how.

    Args:
        stack_set: as it is.
        members: who belongs to the organization; None where it may not be read.
        external_id: the registration's; a secret.
        tiers: the permission tiers that the role is to have.
    """
    content = stack_set.deployed_content
    retain = stack_set.retain_on_removal
    wanted = PlannedStackSet(
        content.logical_id if content else "",
        retain,
        external_id,
        frozenset(documents.api_access_policies(tiers)),
    )
    compared = compare_stack_set(stack_set, wanted)
    if compared.obstacle:
        return Reach(
            warnings=[
                f"The StackSet {stack_set.name} is left as it is: {compared.obstacle}. Octo's"
                " access to its accounts goes on; octo.yaml has use_stackset: false."
            ]
        )
    found = Reach({"use_stackset": True, "stackset_name": stack_set.name}, compared.removals)
    if not retain:
        found.settings["stackset_retain_on_account_removal"] = False
    if content and content.logical_id != Inputs.stackset_role_logical_id:
        found.settings["stackset_role_logical_id"] = content.logical_id
    if content and required_external_id(content.role) is None:
        found.warnings.append(
            f"The roles of the StackSet {stack_set.name} ask for no external id today; from now on"
            " they do. Make sure that Octo has the same one."
        )
    _accounts(stack_set, members, found)
    return found


def _accounts(stack_set: ObservedStackSet, members: Organization | None, found: Reach) -> None:
    """Targets and excluded accounts: those who have a stack today, and no others."""
    whole = not stack_set.targets or any(t.startswith("r-") for t in stack_set.targets)
    if members is not None and stack_set.deployed:
        targets = [members.root] if whole else list(stack_set.targets)
        linked = [m for m in members.members if m.account_id != members.management_account_id]
        if any(
            m.account_id in stack_set.deployed and not members.is_under(m.ou, targets)
            for m in linked
        ):
            targets, whole = [members.root], True  # deployed to by its id
            found.warnings.append(
                f"The StackSet {stack_set.name} has accounts outside its targets: the"
                " organization's root becomes its target, so that they stay. Accounts that join"
                " are deployed to."
            )
        without = sorted(
            m.account_id
            for m in linked
            if m.active
            and m.account_id not in stack_set.deployed
            and members.is_under(m.ou, targets)
        )
        if without:
            found.settings["stackset_excluded_accounts"] = without
            found.warnings.append(
                f"{len(without)} accounts have no stack of the StackSet {stack_set.name} today, and"
                " get none: they are in stackset_excluded_accounts. Take out whom Octo shall reach."
            )
    if not whole:
        found.settings["stackset_targets"] = sorted(stack_set.targets)
