"""Organizations: who may call what, and accounts as AWS describes them; the rest is moto's.

Source: Organizations API Reference: most operations are for the management account only,
DescribeOrganization is for every account of the organization; botocore's model of ``Account``,
whose ``Status`` was to be retired on 2026-09-09 in favor of ``State``.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from moto.core.utils import get_service_model
from moto.organizations.models import organizations_backends

from orchestrator.sandbox.authorization import organization_path
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import (
    AccountCreation,
    SandboxState,
    management_account,
    organizations,
)
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
_NO_MEMBERSHIP = {"CreateOrganization"}
_MEMBERS = {"DescribeOrganization"}
_DELEGATED = ("Describe", "List")  # what every delegated administrator may call, too
_PAGE = 20  # the most accounts that one answer holds
_STATUSES = {"CLOSED": "SUSPENDED"}  # the other states have a status of the same name


def check_caller(state: SandboxState, call: Call) -> Any:
    """Refuse accounts outside an organization, and members what only management may call."""
    if call.operation in _NO_MEMBERSHIP:
        return TO_MOTO
    account_id = call.caller.account_id
    is_management = organizations(account_id).org is not None
    is_member = account_id in organizations_backends.master_accounts
    if not is_management and not is_member:
        raise ServiceError(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )
    delegated = account_id in state.delegated and call.operation.startswith(_DELEGATED)
    if not is_management and not delegated and call.operation not in _MEMBERS:
        raise ServiceError(
            "AccessDeniedException",
            "You don't have permissions to access this resource.",
        )
    return TO_MOTO


def describe_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeAccount."""
    check_caller(state, call)
    return {"Account": described(state, call, find_account(call))}


def list_accounts(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListAccounts, in the order in which they joined."""
    check_caller(state, call)
    return _page(state, call, organizations(management_of(call)).accounts)


def list_accounts_for_parent(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListAccountsForParent: the accounts directly in an OU or the root."""
    check_caller(state, call)
    parent, organization = call.parameters["ParentId"], organizations(management_of(call))
    if parent not in (ou.id for ou in organization.ou):
        raise ServiceError("ParentNotFoundException", "You specified parent that doesn't exist.")
    return _page(state, call, (a for a in organization.accounts if a.parent_id == parent))


def management_of(call: Call) -> str:
    """Get the management account of the caller's organization."""
    return management_account(call.caller.account_id)


def create_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """CreateAccount: takes as long as a stack; until then its status is IN_PROGRESS."""
    check_caller(state, call)
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


def describe_creation(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeCreateAccountStatus."""
    check_caller(state, call)
    wanted = call.parameters["CreateAccountRequestId"]
    for creation in state.account_creations:
        if creation.status["Id"] == wanted:
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
    statuses = (c.status for c in state.account_creations)
    return {"CreateAccountStatuses": [s for s in statuses if not wanted or s["State"] in wanted]}


def list_parents(state: SandboxState, call: Call) -> Any:
    """ListParents."""
    check_caller(state, call)
    child, own = call.parameters["ChildId"], organizations(management_of(call))
    if not any(entry.id == child for entry in (*own.accounts, *own.ou)):
        raise ServiceError(
            "ChildNotFoundException",
            "You specified a child organizational unit (OU) or account that doesn't exist.",
        )
    return TO_MOTO


def move_account(state: SandboxState, call: Call) -> Any:
    """MoveAccount: from the parent that it has, to one that exists."""
    check_caller(state, call)
    account, own = find_account(call), organizations(call.caller.account_id)
    places = {ou.id for ou in own.ou}
    source, destination = (call.parameters[f"{n}ParentId"] for n in ("Source", "Destination"))
    if source not in places or account.parent_id != source:
        raise ServiceError(
            "SourceParentNotFoundException",
            "You specified a source parent that doesn't exist, or that isn't the account's parent.",
        )
    if destination not in places:
        raise ServiceError(
            "DestinationParentNotFoundException",
            "You specified a destination parent that doesn't exist.",
        )
    if source == destination:
        raise ServiceError(
            "DuplicateAccountException",
            "That account is already present in the specified destination.",
        )
    return TO_MOTO


def close_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """CloseAccount, without the minutes in PENDING_CLOSURE."""
    check_caller(state, call)
    account = find_account(call)
    if account.id == call.caller.account_id:
        raise ServiceError(
            "ConstraintViolationException", "You can't close the management account."
        )
    if account.state == "CLOSED":
        raise ServiceError("AccountAlreadyClosedException", "The account is already closed.")
    account.state = "CLOSED"
    state.organization_changed = True
    return {}


def find_account(call: Call) -> Any:
    """Get the account that a call names.

    Raises:
        ServiceError: AccountNotFoundException.
    """
    wanted = call.parameters["AccountId"]
    for account in organizations(management_of(call)).accounts:
        if account.id == wanted:
            return account
    raise ServiceError("AccountNotFoundException", "You specified an account that doesn't exist.")


def _page(state: SandboxState, call: Call, accounts: Iterable[Any]) -> dict[str, Any]:
    every = list(accounts)
    size = min(int(call.parameters.get("MaxResults") or _PAGE), _PAGE)
    start = int(call.parameters.get("NextToken") or 0)
    shown = every[start : start + size]
    page: dict[str, Any] = {"Accounts": [described(state, call, account) for account in shown]}
    if start + size < len(every):
        page["NextToken"] = str(start + size)
    return page


def described(state: SandboxState, call: Call, account: Any) -> dict[str, Any]:
    """Describe an account as ListAccounts does."""
    found = {
        "Id": account.id,
        "Arn": account.arn,
        "Email": account.email,
        "Name": account.name,
        "State": account.state,
        "Paths": [_path(management_of(call), account)],
        "JoinedMethod": "INVITED" if account.id == management_of(call) else "CREATED",
        "JoinedTimestamp": account.create_time,
    }
    if state.with_account_status:
        found["Status"] = _STATUSES.get(account.state, account.state)
    return found


def _path(management: str, account: Any) -> str:
    """Where an account is: ``o-.../r-.../ou-.../111111111111/``."""
    return f"{organization_path(organizations(management), account.id)}{account.id}/"


OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(get_service_model(SERVICE).operation_names, check_caller),
    "CloseAccount": close_account,
    "CreateAccount": create_account,
    "DescribeAccount": describe_account,
    "DescribeCreateAccountStatus": describe_creation,
    "ListAccounts": list_accounts,
    "ListAccountsForParent": list_accounts_for_parent,
    "ListCreateAccountStatus": list_creations,
    "ListParents": list_parents,
    "MoveAccount": move_account,
}
