"""Read the organization and the StackSet, and compare the two."""

from __future__ import annotations

from orchestrator.aws import cloudformation, organizations
from orchestrator.aws.errors import explained
from orchestrator.aws.session import Aws
from orchestrator.model.coverage import cover
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.module_contract.inputs import module_inputs
from orchestrator.model.organization import Organization
from orchestrator.model.registration import Registration


def observe(
    aws: Aws, registration: Registration, known: Organization | None = None
) -> LinkedAccounts:
    """Read the state of each linked account.

    Args:
        aws: calls as the payer.
        registration: names the StackSet and its targets.
        known: the organization, where it was read before.
    """
    if known is None:
        with explained("reading the organization"):
            known = organizations.read(aws)
    name = module_inputs(registration).stackset_name
    with explained(f"reading StackSet {name}"):
        deployed = cloudformation.read_stack_set(aws, name)
    targets = tuple(sorted(set(registration.stackset_targets or [known.root])))
    excluded = registration.stackset_excluded_accounts or []
    return LinkedAccounts(
        known, deployed, targets, cover(known, deployed, targets=targets, excluded=excluded)
    )
