"""Organizations: who may call what, and accounts as AWS describes them; the rest is moto's.

Source: Organizations API Reference: most operations are for the management account only,
DescribeOrganization is for every account of the organization; botocore's model of ``Account``,
whose ``Status`` was to be retired on 2026-09-09 in favour of ``State``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.core.utils import get_service_model
from moto.organizations.models import organizations_backends

from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
_NO_MEMBERSHIP = {"CreateOrganization"}
_MEMBERS = {"DescribeOrganization"}
_PAGE = 20  # the most accounts that one answer holds
_STATUSES = {"CLOSED": "SUSPENDED"}  # the other states have a status of the same name


def check_caller(_state: SandboxState, call: Call) -> Any:
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
    if not is_management and call.operation not in _MEMBERS:
        raise ServiceError(
            "AccessDeniedException",
            "You don't have permissions to access this resource.",
        )
    return TO_MOTO


def describe_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeAccount."""
    check_caller(state, call)
    return {"Account": _described(state, call, _account(call))}


def list_accounts(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListAccounts, in the order in which they joined."""
    check_caller(state, call)
    return _page(state, call, organizations(call.caller.account_id).accounts)


def list_accounts_for_parent(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListAccountsForParent: the accounts directly in an OU or the root."""
    check_caller(state, call)
    parent, organization = call.parameters["ParentId"], organizations(call.caller.account_id)
    if parent not in (ou.id for ou in organization.ou):
        raise ServiceError("ParentNotFoundException", "You specified parent that doesn't exist.")
    return _page(state, call, (a for a in organization.accounts if a.parent_id == parent))


def close_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """CloseAccount, without the minutes in PENDING_CLOSURE."""
    check_caller(state, call)
    account = _account(call)
    if account.id == call.caller.account_id:
        raise ServiceError(
            "ConstraintViolationException", "You can't close the management account."
        )
    if account.state == "CLOSED":
        raise ServiceError("AccountAlreadyClosedException", "The account is already closed.")
    account.state = "CLOSED"
    state.organization_changed = True
    return {}


def _account(call: Call) -> Any:
    wanted = call.parameters["AccountId"]
    for account in organizations(call.caller.account_id).accounts:
        if account.id == wanted:
            return account
    raise ServiceError("AccountNotFoundException", "You specified an account that doesn't exist.")


def _page(state: SandboxState, call: Call, accounts: Iterable[Any]) -> dict[str, Any]:
    every = list(accounts)
    size = min(int(call.parameters.get("MaxResults") or _PAGE), _PAGE)
    start = int(call.parameters.get("NextToken") or 0)
    shown = every[start : start + size]
    page: dict[str, Any] = {"Accounts": [_described(state, call, account) for account in shown]}
    if start + size < len(every):
        page["NextToken"] = str(start + size)
    return page


def _described(state: SandboxState, call: Call, account: Any) -> dict[str, Any]:
    described = {
        "Id": account.id,
        "Arn": account.arn,
        "Email": account.email,
        "Name": account.name,
        "State": account.state,
        "Paths": [_path(call.caller.account_id, account)],
        "JoinedMethod": "INVITED" if account.id == call.caller.account_id else "CREATED",
        "JoinedTimestamp": account.create_time,
    }
    if state.with_account_status:
        described["Status"] = _STATUSES.get(account.state, account.state)
    return described


def _path(management: str, account: Any) -> str:
    """Where an account is: ``o-.../r-.../ou-.../111111111111/``."""
    organization = organizations(management)
    parents = {ou.id: getattr(ou, "parent_id", None) for ou in organization.ou}
    path, parent = f"{account.id}/", account.parent_id
    while parent is not None:
        path, parent = f"{parent}/{path}", parents[parent]
    return f"{organization.org.id}/{path}"


OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(get_service_model(SERVICE).operation_names, check_caller),
    "CloseAccount": close_account,
    "DescribeAccount": describe_account,
    "ListAccounts": list_accounts,
    "ListAccountsForParent": list_accounts_for_parent,
}
