"""Service and resource control policies: what an organization allows in an account.

A service control policy limits the principals of a member account, a resource control policy its
resources. Each level from the root to the account must allow a call. Neither binds the management
account, nor service-linked roles. Source: Organizations User Guide, "SCP evaluation", "RCPs".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.organizations.models import organizations_backends

from orchestrator.sandbox import lookup
from orchestrator.sandbox.policy import AccessRequest, Decision, decide, parse_policy
from orchestrator.sandbox.state import organizations

SERVICE = "SERVICE_CONTROL_POLICY"
RESOURCE = "RESOURCE_CONTROL_POLICY"
_WITH_RESOURCE_POLICIES = ("s3:", "sts:", "kms:", "sqs:", "secretsmanager:")


@dataclass(frozen=True)
class OrganizationDecision:
    """How an organization's policies decide a request; ``policy_arn``: of an explicit deny."""

    decision: Decision
    policy_arn: str = ""


def decide_for_account(kind: str, account_id: str, request: AccessRequest) -> OrganizationDecision:
    """Decide a request by the policies of one kind on the way from the root to an account."""
    if kind == RESOURCE and not request.action.startswith(_WITH_RESOURCE_POLICIES):
        return OrganizationDecision("allowed")
    decision: Decision = "allowed"
    for policies in _levels(kind, account_id):
        decisions = {
            p.arn: decide([parse_policy(p.content)], request, resource_policy=kind == RESOURCE)
            for p in policies
        }
        denying = [arn for arn, found in decisions.items() if found == "explicitDeny"]
        if denying:
            return OrganizationDecision("explicitDeny", denying[0])
        if "allowed" not in decisions.values():
            decision = "implicitDeny"
    return OrganizationDecision(decision)


def is_member(account_id: str) -> bool:
    """Whether an account belongs to an organization, which it may manage."""
    return organizations(account_id).org is not None or (
        account_id in organizations_backends.master_accounts
    )


def binds(kind: str, account_id: str) -> bool:
    """Whether policies of a kind limit an account: a member, where the type is enabled."""
    return _binding_organization(kind, account_id) is not None


def _binding_organization(kind: str, account_id: str) -> Any | None:
    management = organizations_backends.master_accounts.get(account_id)
    if management is None or management[0] == account_id:
        return None
    organization = organizations(management[0])
    root = next(ou for ou in organization.ou if ou.type == "ROOT")
    enabled = any(one["Type"] == kind for one in root.policy_types)
    return organization if enabled else None


def _levels(kind: str, account_id: str) -> Iterator[list[Any]]:
    organization = _binding_organization(kind, account_id)
    if organization is None:
        return
    places = {ou.id: ou for ou in organization.ou}
    place = lookup.member(organization, account_id)
    while place is not None:
        yield [policy for policy in place.attached_policies if policy.type == kind]
        place = places.get(getattr(place, "parent_id", None))
