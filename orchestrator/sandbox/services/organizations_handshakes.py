"""Organizations: invitations of accounts to an organization.

Invitations to transfer billing are handshakes, too: ``organizations_billing``. Source:
Organizations API Reference, InviteAccountToOrganization and its siblings.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from moto.organizations.models import FakeAccount, organizations_backends

from orchestrator.sandbox import lookup
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services import organizations_billing as billing
from orchestrator.sandbox.services.organizations import check_caller, invalid, organization_of, page
from orchestrator.sandbox.services.organizations_tags import check_tags
from orchestrator.sandbox.state import PARTITION, SandboxState, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
_VALID = timedelta(days=15)


def invite(state: SandboxState, call: Call) -> dict[str, Any]:
    """InviteAccountToOrganization."""
    own, target = organization_of(state, call), call.parameters["Target"]
    check_tags(call.parameters.get("Tags", []))
    if target["Type"] not in ("ACCOUNT", "EMAIL"):
        raise invalid(
            "INVALID_PARTY_TYPE_TARGET",
            "You specified the wrong type of entity (account, organization, or email) as a party.",
        )
    if target["Type"] == "ACCOUNT" and not (target["Id"].isdecimal() and len(target["Id"]) == 12):
        text = "You provided a value that does not match the required pattern."
        raise invalid("INVALID_PATTERN", text)
    if any(target["Id"] in (account.id, account.email) for account in own.accounts):
        raise ServiceError(
            "HandshakeConstraintViolationException",
            "The handshake request is invalid because the invited account is already a member of"
            " an organization.",
            Reason="ALREADY_IN_AN_ORGANIZATION",
        )
    parties = [{"Id": own.org.id.removeprefix("o-"), "Type": "ORGANIZATION"}, target]
    if any(h["Parties"] == parties and h["State"] == "OPEN" for h in _kept(state)):
        raise ServiceError(
            "DuplicateHandshakeException",
            "A handshake with the same action and target already exists.",
        )
    handshake = _opened(call, own, parties)
    _kept(state).append(handshake)
    return {"Handshake": handshake}


def _opened(call: Call, own: Any, parties: list[dict[str, str]]) -> dict[str, Any]:
    number, now = f"h-{uuid.uuid4().hex}", datetime.now(timezone.utc)
    owner, notes = own.org.master_account_id, call.parameters.get("Notes")
    manager: Any = lookup.member(own, owner)
    organization = [
        {"Type": "MASTER_EMAIL", "Value": own.org.master_account_email},
        {"Type": "MASTER_NAME", "Value": manager.name},
        {"Type": "ORGANIZATION_FEATURE_SET", "Value": own.org.feature_set},
    ]
    return {
        "Id": number,
        "Arn": f"arn:aws:organizations::{owner}:handshake/{own.org.id}/invite/{number}",
        "Parties": parties,
        "State": "OPEN",
        "RequestedTimestamp": now,
        "ExpirationTimestamp": now + _VALID,
        "Action": "INVITE",
        "Resources": [
            {"Type": "ORGANIZATION", "Value": own.org.id, "Resources": organization},
            {"Type": parties[1]["Type"], "Value": parties[1]["Id"]},
            *([{"Type": "NOTES", "Value": notes}] if notes else []),
        ],
    }


def describe(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeHandshake."""
    return {"Handshake": _find(state, call)}


def accept(state: SandboxState, call: Call) -> dict[str, Any]:
    """AcceptHandshake: the invited account becomes a member, or its billing is transferred."""
    found = billing.accept(state, call)
    if found is not TO_MOTO:
        transferred: dict[str, Any] = found
        return transferred
    handshake, account_id = _find(state, call), call.caller.account_id
    if _is_senders(call, handshake):
        raise _denied()
    if organizations(account_id).org is not None:
        raise ServiceError(
            "MasterCannotLeaveOrganizationException",
            "You can't remove a management account from an organization. If you want the"
            " management account to become a member account in another organization, you must"
            " first delete the current organization of the management account.",
        )
    _close(handshake, "ACCEPTED")
    _join(_sender(handshake), account_id)
    return {"Handshake": handshake}


def _join(management: str, account_id: str) -> None:
    if account_id in organizations_backends.master_accounts:
        former = organizations_backends.master_accounts[account_id][0]
        organizations(former).remove_account_from_organization(AccountId=account_id)
    own = organizations(management)
    account: Any = FakeAccount.__new__(FakeAccount)  # without a role for the management account
    account.__dict__.update(
        own.accounts[0].__dict__,
        id=account_id,
        name=account_id,
        email=f"{account_id}@example.com",
        create_time=datetime.now(timezone.utc).replace(tzinfo=None),
        state="ACTIVE",
        joined_method="INVITED",
        parent_id=own.org.root_id,
        attached_policies=[],
        tags={},
    )
    own.accounts.append(account)
    organizations_backends.master_accounts[account_id] = (management, PARTITION)
    for policy_id in ("p-FullAWSAccess", "p-RCPFullAWSAccess"):
        own.attach_policy(PolicyId=policy_id, TargetId=account_id)


def decline(state: SandboxState, call: Call) -> dict[str, Any]:
    """DeclineHandshake, by the invited account."""
    handshake = _find(state, call)
    if _is_senders(call, handshake):
        raise _denied()
    return {"Handshake": _close(handshake, "DECLINED")}


def cancel(state: SandboxState, call: Call) -> dict[str, Any]:
    """CancelHandshake, by the organization that sent it."""
    handshake = _find(state, call)
    if not _is_senders(call, handshake):
        raise _denied()
    return {"Handshake": _close(handshake, "CANCELED")}


def _close(handshake: dict[str, Any], status: str) -> dict[str, Any]:
    if handshake["State"] == status:
        text = "The specified handshake is already in the requested state."
        raise ServiceError("HandshakeAlreadyInStateException", text)
    if handshake["State"] != "OPEN":
        text = "You can't perform the operation on the handshake in its current state."
        raise ServiceError("InvalidHandshakeTransitionException", text)
    handshake["State"] = status
    return handshake


def list_for_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListHandshakesForAccount: those that the account was sent."""
    return page(call, "Handshakes", _listed(state, call, lambda h: not _is_senders(call, h)))


def list_for_organization(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListHandshakesForOrganization: those that the organization sent."""
    check_caller(state, call)
    return page(call, "Handshakes", _listed(state, call, lambda h: _is_senders(call, h)))


def _listed(
    state: SandboxState, call: Call, belongs: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    action = call.parameters.get("Filter", {}).get("ActionType", "INVITE")
    seen = [h for h in _kept(state) if _may_see(call, h)]
    return [h for h in seen if h["Action"] == action and belongs(h)]


def _find(state: SandboxState, call: Call) -> dict[str, Any]:
    for handshake in _kept(state):
        if handshake["Id"] == call.parameters["HandshakeId"]:
            if not _may_see(call, handshake):
                raise _denied()
            return handshake
    text = "You specified a handshake that doesn't exist."
    raise ServiceError("HandshakeNotFoundException", text)


def _may_see(call: Call, handshake: dict[str, Any]) -> bool:
    own = call.caller.account_id
    party = handshake["Parties"][1]["Id"]
    return _sender(handshake) == own or party in (own, f"{own}@example.com")


def _is_senders(call: Call, handshake: dict[str, Any]) -> bool:
    return _sender(handshake) == call.caller.account_id


def _sender(handshake: dict[str, Any]) -> str:
    return str(handshake["Arn"].split(":")[4])


def _denied() -> ServiceError:
    text = "You don't have permissions to access this resource."
    return ServiceError("AccessDeniedException", text)


def _kept(state: SandboxState) -> list[dict[str, Any]]:
    return state.of_service("organizations handshakes", list)


def contents(state: SandboxState) -> Iterator[str]:
    """Describe the invitations that are open."""
    yield from (f"invitation {h['Id']}" for h in _kept(state) if h["State"] == "OPEN")


OPERATIONS: dict[str, Operation] = {
    "AcceptHandshake": accept,
    "CancelHandshake": cancel,
    "DeclineHandshake": decline,
    "DescribeHandshake": describe,
    "InviteAccountToOrganization": invite,
    "ListHandshakesForAccount": list_for_account,
    "ListHandshakesForOrganization": list_for_organization,
}
