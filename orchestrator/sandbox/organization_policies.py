"""Service and resource control policies: what an organization allows in an account.

A service control policy limits the principals of a member account, a resource control policy its
resources. Each level from the root to the account must allow a call. Neither binds the management
account, nor service-linked roles. Source: Organizations User Guide, "SCP evaluation", "RCPs".
"""

from __future__ import annotations

from collections.abc import Iterator

from moto.organizations.models import organizations_backends

from orchestrator.sandbox.policy import AccessRequest, Decision, Document, decide, parse_policy
from orchestrator.sandbox.state import organizations

SERVICE = "SERVICE_CONTROL_POLICY"
RESOURCE = "RESOURCE_CONTROL_POLICY"
_WITH_RESOURCE_POLICIES = ("s3:", "sts:", "kms:", "sqs:", "secretsmanager:")


def decide_for_account(kind: str, account_id: str, request: AccessRequest) -> Decision:
    """Decide a request by the policies of one kind on the way from the root to an account."""
    if kind == RESOURCE and not request.action.startswith(_WITH_RESOURCE_POLICIES):
        return "allowed"
    decision: Decision = "allowed"
    for documents in _levels(kind, account_id):
        at_level = decide(documents, request, resource_policy=kind == RESOURCE)
        if at_level == "explicitDeny":
            return at_level
        if at_level != "allowed":
            decision = at_level
    return decision


def is_member(account_id: str) -> bool:
    """Whether an account belongs to an organization, which it may manage."""
    return organizations(account_id).org is not None or (
        account_id in organizations_backends.master_accounts
    )


def _levels(kind: str, account_id: str) -> Iterator[list[Document]]:
    management = organizations_backends.master_accounts.get(account_id)
    if management is None or management[0] == account_id:
        return
    organization = organizations(management[0])
    places = {ou.id: ou for ou in organization.ou}
    root = next(ou for ou in organization.ou if ou.type == "ROOT")
    if not any(enabled["Type"] == kind for enabled in root.policy_types):
        return
    place = next((a for a in organization.accounts if a.id == account_id), None)
    while place is not None:
        yield [parse_policy(p.content) for p in place.attached_policies if p.type == kind]
        place = places.get(getattr(place, "parent_id", None))
