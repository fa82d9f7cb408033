"""Propose the settings by which an existing StackSet keeps deploying to the same accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.adoption import feature_proposal
from orchestrator.detection.compare import PlannedStackSet, compare_stack_set
from orchestrator.model.differences import required_external_id
from orchestrator.model.module_contract.features import feature_roles, policy_names
from orchestrator.model.module_contract.inputs import Inputs
from orchestrator.model.module_contract.octo_names import API_ROLE, linked_logical_id
from orchestrator.model.observed import Removal
from orchestrator.model.organization import Organization
from orchestrator.model.stackset import StackSet


@dataclass
class StackSetProposal:
    """How a StackSet is adopted.

    Attributes:
        settings: for octo.yaml; empty if the StackSet is not adopted.
        removals: what its adoption removes in every account; users must consent.
        warnings: sentences that the user should read.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    removals: tuple[Removal, ...] = ()
    warnings: list[str] = field(default_factory=list)


def propose(
    stack_set: StackSet,
    members: Organization | None,
    *,
    external_id: str | None,
    features: Sequence[str],
) -> StackSetProposal:
    """Decide whether a StackSet can be adopted, and with which settings.

    Args:
        stack_set: as AWS has it.
        members: the organization; None if access is denied.
        external_id: the registration's; a secret.
        features: those of the account itself.
    """
    content = stack_set.deployed_content
    retain = stack_set.retain_on_removal
    linked = feature_proposal.of_stack_set(content, features) if content else list(features)
    wanted = PlannedStackSet(
        content.logical_id if content else "",
        retain,
        external_id,
        frozenset(policy_names(API_ROLE)),
        frozenset(f"{linked_logical_id(r)} (AWS::IAM::Role)" for r in feature_roles(linked)),
    )
    compared = compare_stack_set(stack_set, wanted)
    if compared.obstacle:
        return StackSetProposal(
            warnings=[
                f"The StackSet {stack_set.name} is not adopted: {compared.obstacle}. Octo keeps its"
                " access to its accounts; octo.yaml has use_stackset: false."
            ]
        )
    proposal = StackSetProposal(
        {"use_stackset": True, "stackset_name": stack_set.name}, compared.removals
    )
    if {*linked} != {*features} - {"execution"}:
        proposal.settings["stackset_features"] = linked
    if not retain:
        proposal.settings["stackset_retain_on_account_removal"] = False
    if content and content.logical_id != Inputs.stackset_role_logical_id:
        proposal.settings["stackset_role_logical_id"] = content.logical_id
    if content and required_external_id(content.role) is None:
        proposal.warnings.append(
            f"The roles of the StackSet {stack_set.name} require no external id today; adoption"
            " adds one. Make sure that Octo has the same one."
        )
    _set_accounts(stack_set, members, proposal)
    return proposal


def _set_accounts(
    stack_set: StackSet, members: Organization | None, proposal: StackSetProposal
) -> None:
    """Set targets and excluded accounts so that exactly the accounts with a stack keep it."""
    whole = not stack_set.targets or any(t.startswith("r-") for t in stack_set.targets)
    if members is not None and stack_set.instances:
        targets = [members.root] if whole else list(stack_set.targets)
        linked = [m for m in members.members if m.account_id != members.management_account_id]
        if any(
            m.account_id in stack_set.instances and not members.is_under(m.ou, targets)
            for m in linked
        ):
            targets, whole = [members.root], True  # an account was deployed to by its id
            proposal.warnings.append(
                f"The StackSet {stack_set.name} has stacks in accounts outside its targets. The"
                " organization's root becomes its target, so that they keep them; accounts that"
                " join the organization are deployed to."
            )
        without = sorted(
            m.account_id
            for m in linked
            if m.active
            and m.account_id not in stack_set.instances
            and members.is_under(m.ou, targets)
        )
        if without:
            proposal.settings["stackset_excluded_accounts"] = without
            one = len(without) == 1
            proposal.warnings.append(
                f"{len(without)} {'account has' if one else 'accounts have'} no stack of the"
                f" StackSet {stack_set.name} today, and {'gets' if one else 'get'} none:"
                f" {'it is' if one else 'they are'} in stackset_excluded_accounts. Remove the"
                " accounts from there that Octo should reach."
            )
    if not whole:
        proposal.settings["stackset_targets"] = sorted(stack_set.targets)
