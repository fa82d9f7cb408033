"""Organizations: accounts that are created, moved, closed, and that leave.

Sources: Organizations API Reference; https://github.com/getmoto/moto and users' scripts quote what
AWS says.
"""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone
from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.organizations import (
    check_caller,
    find_account,
    find_place,
    invalid,
    organization_of,
    page,
    violates,
)
from orchestrator.sandbox.services.organizations_tags import check_tags
from orchestrator.sandbox.state import AccountCreation, SandboxState, management_account
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"


def create_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateAccount: takes as long as a stack; until then its status is IN_PROGRESS."""
    check_caller(state, call)
    if call.parameters.get("RoleName", "").startswith("AWSServiceRoleFor"):
        raise invalid(
            "INVALID_ROLE_NAME",
            "You provided a role name that isn't valid. A role name can't begin with the reserved"
            " prefix AWSServiceRoleFor.",
        )
    check_tags(call.parameters.get("Tags", []))
    status = {
        "Id": f"car-{uuid.uuid4().hex}",
        "AccountName": call.parameters["AccountName"],
        "State": "IN_PROGRESS",
        "RequestedTimestamp": datetime.now(timezone.utc),
    }
    begun = AccountCreation(time.time(), call.caller.account_id, dict(call.parameters), status)
    state.account_creations.append(begun)
    state.creating.append(begun)
    return {"CreateAccountStatus": status}


def create_in_govcloud(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateGovCloudAccount: the management account has no account in AWS GovCloud (US)."""
    check_caller(state, call)
    raise violates(
        "MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED",
        "To complete this operation, the management account must have an associated account in the"
        " Amazon Web Services GovCloud (US-West) Region.",
    )


def describe_creation(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeCreateAccountStatus."""
    check_caller(state, call)
    wanted = call.parameters["CreateAccountRequestId"]
    for creation in state.account_creations:
        if creation.status["Id"] == wanted and creation.owner == _owner(call):
            return {"CreateAccountStatus": creation.status}
    raise ServiceError(
        "CreateAccountStatusNotFoundException",
        "We can't find an create account request with the CreateAccountRequestId that you"
        " specified.",
    )


def list_creations(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListCreateAccountStatus."""
    check_caller(state, call)
    wanted = call.parameters.get("States")
    statuses = (c.status for c in state.account_creations if c.owner == _owner(call))
    found = [status for status in statuses if not wanted or status["State"] in wanted]
    return page(call, "CreateAccountStatuses", found)


def _owner(call: Call) -> str:
    return management_account(call.caller.account_id)


def move_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """MoveAccount: from the parent that it has, to one that exists."""
    own = organization_of(state, call)
    account = find_account(call)
    source, destination = (call.parameters[f"{n}ParentId"] for n in ("Source", "Destination"))
    find_place(own, source, "SourceParentNotFoundException")
    find_place(own, destination, "DestinationParentNotFoundException")
    if account.parent_id != source:  # which AWS words so (aws-deployment scripts quote it)
        text = "You specified an account that doesn't exist."
        raise ServiceError("AccountNotFoundException", text)
    if source == destination:
        raise ServiceError(
            "DuplicateAccountException",
            "That account is already present in the specified destination.",
        )
    account.parent_id = destination
    return {}


def close_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """CloseAccount, without the minutes in PENDING_CLOSURE."""
    check_caller(state, call)
    account = find_account(call)
    if account.id == call.caller.account_id:
        raise violates(
            "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
            "You attempted to close the management account. To close the management account for"
            " the organization, you must first either remove or close all member accounts in the"
            " organization. Follow standard account closure process using root credentials.",
        )
    if account.state == "CLOSED":
        text = "You attempted to close an account that is already closed."
        raise ServiceError("AccountAlreadyClosedException", text)
    account.state = "CLOSED"
    return {}


def remove(state: SandboxState, call: Call) -> dict[str, Any]:
    """RemoveAccountFromOrganization: as if the account had what a standalone one needs."""
    own = organization_of(state, call)
    _leave(state, own, find_account(call).id)
    return {}


def leave(state: SandboxState, call: Call) -> dict[str, Any]:
    """LeaveOrganization, by a member."""
    own = organization_of(state, call)
    _leave(state, own, call.caller.account_id)
    return {}


def _leave(state: SandboxState, own: Any, account_id: str) -> None:
    if account_id == own.org.master_account_id:
        raise ServiceError(
            "MasterCannotLeaveOrganizationException",
            "You can't remove a management account from an organization. If you want the"
            " management account to become a member account in another organization, you must"
            " first delete the current organization of the management account.",
        )
    if account_id in state.delegated:
        raise violates(
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
            "You attempted to remove an account that is registered as a delegated administrator"
            " for a service integrated with your organization. To complete this operation, you"
            " must first deregister this account as a delegated administrator.",
        )
    own.remove_account_from_organization(AccountId=account_id)


OPERATIONS: dict[str, Operation] = {
    "CloseAccount": close_account,
    "CreateAccount": create_account,
    "CreateGovCloudAccount": create_in_govcloud,
    "DescribeCreateAccountStatus": describe_creation,
    "LeaveOrganization": leave,
    "ListCreateAccountStatus": list_creations,
    "MoveAccount": move_account,
    "RemoveAccountFromOrganization": remove,
}
