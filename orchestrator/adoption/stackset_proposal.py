"""Propose the settings by which an existing StackSet keeps deploying to the same accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.adoption import feature_proposal
from orchestrator.adoption.stated import Stated
from orchestrator.detection.compare import PlannedStackSet, compare_stack_set
from orchestrator.model.differences import external_ids
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
    stated: Stated,
) -> StackSetProposal:
    """Decide whether a StackSet can be adopted, and with which settings.

    Args:
        members: the organization; None if access is denied.
        external_id: the registration's; a secret.
        features: those of the account itself.
        stated: what octo.yaml and flags say about targets and excluded accounts.
    """
    content = stack_set.deployed_content
    retain = stack_set.retain_on_removal
    linked = feature_proposal.of_stack_set(content, features) if content else list(features)
    wanted = PlannedStackSet(
        content.logical_id if content else "",
        retain,
        external_id,
        frozenset(policy_names(API_ROLE)),
        content.role_path if content else None,
        frozenset(f"{linked_logical_id(r)} (AWS::IAM::Role)" for r in feature_roles(linked)),
    )
    compared = compare_stack_set(stack_set, wanted)
    if compared.obstacle:
        has_path = content and content.role and content.role.path != "/"
        access = "has no access through it" if has_path else "keeps its access to its accounts"
        return StackSetProposal(
            warnings=[
                f"The StackSet {stack_set.name} is not adopted: {compared.obstacle}. Octo {access};"
                " octo.yaml has use_stackset: false."
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
    if content and content.role_path is not None:
        proposal.settings["stackset_role_path"] = content.role_path
    if content and not external_ids(content.role):
        proposal.warnings.append(
            f"The roles of the StackSet {stack_set.name} require no external id today; adoption"
            " adds one. Make sure that Octo has the same one."
        )
    _set_accounts(stack_set, members, stated, proposal)
    return proposal


def _set_accounts(
    stack_set: StackSet, members: Organization | None, stated: Stated, proposal: StackSetProposal
) -> None:
    """Set targets and excluded accounts so that exactly the accounts with a stack keep it.

    What octo.yaml or a flag says stays; accounts without a stack that it reaches are named.
    """
    name, instances = stack_set.name, stack_set.instances
    targets = stack_set.targets
    if stated.overrides("stackset_targets"):
        targets = tuple(stated.registration.get("stackset_targets") or ())
    whole = not targets or any(t.startswith("r-") for t in targets)
    if members is None:
        proposal.warnings.append(
            "The organization cannot be read, so no account is excluded: adoption deploys to the"
            f" accounts in {'the organization' if whole else ', '.join(sorted(targets))} that have"
            f" no stack of the StackSet {name} today."
        )
    elif instances:
        linked = [m for m in members.members if m.account_id != members.management_account_id]
        targets = (members.root,) if whole else targets
        if any(m.account_id in instances and not members.is_under(m.ou, targets) for m in linked):
            targets, whole = (members.root,), True  # an account was deployed to by its id
            proposal.warnings.append(
                f"The StackSet {name} has stacks in accounts outside its targets. The"
                " organization's root becomes its target, so that they keep them; accounts that"
                " join the organization are deployed to."
            )
        without = sorted(
            m.account_id
            for m in linked
            if m.active and m.account_id not in instances and members.is_under(m.ou, targets)
        )
        _exclude(name, without, stated, proposal)
    else:
        proposal.warnings.append(
            f"No account has a stack of the StackSet {name} today: adoption deploys to all accounts"
            f" in {'the organization' if whole else ', '.join(sorted(targets))} that"
            " stackset_excluded_accounts does not name."
        )
    if not whole:
        proposal.settings["stackset_targets"] = sorted(targets)
    closed = {m.account_id for m in (members.members if members else ()) if not m.active}
    failed = sorted(a for a, one in instances.items() if not one.has_stack and a not in closed)
    if failed:
        proposal.warnings.append(
            f"The StackSet {name} was deployed without success to {', '.join(failed)}: adoption"
            f" deploys to {'it' if len(failed) == 1 else 'them'} again."
        )


def _exclude(name: str, without: list[str], stated: Stated, proposal: StackSetProposal) -> None:
    """Exclude the accounts without a stack, or name those that octo.yaml or a flag reaches."""
    if stated.overrides("stackset_excluded_accounts"):
        excluded = stated.registration.get("stackset_excluded_accounts") or ()
        if reached := [account for account in without if account not in set(map(str, excluded))]:
            proposal.warnings.append(
                f"Adoption deploys to accounts without a stack of the StackSet {name}, since"
                f" stackset_excluded_accounts does not name them: {', '.join(reached)}."
            )
    elif without:
        proposal.settings["stackset_excluded_accounts"] = without
        one = len(without) == 1
        proposal.warnings.append(
            f"{len(without)} {'account has' if one else 'accounts have'} no stack of the StackSet"
            f" {name} today, and {'gets' if one else 'get'} none: {'it is' if one else 'they are'}"
            " in stackset_excluded_accounts. Remove the accounts from there that Octo should reach."
        )
