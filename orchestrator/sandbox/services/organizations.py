"""Organizations: who may call what, and accounts as AWS describes them; the rest is moto's.

Source: Organizations API Reference: most operations are for the management account only,
DescribeOrganization is for every account of the organization; botocore's model of ``Account``,
whose ``Status`` was to be retired on 2026-09-09 in favor of ``State``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.core.utils import get_service_model
from moto.organizations.models import organizations_backends

from orchestrator.sandbox import lookup
from orchestrator.sandbox.authorized_resources import resource_of
from orchestrator.sandbox.policy import AccessRequest, decide, parse_policy
from orchestrator.sandbox.request_context import context_of, organization_path
from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.state import SandboxState, management_account, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"
_NO_MEMBERSHIP = {"CreateOrganization", "ListHandshakesForAccount"} | {
    f"{action}Handshake" for action in ("Accept", "Cancel", "Decline", "Describe")
}
_MEMBERS = {"DescribeEffectivePolicy", "DescribeOrganization", "LeaveOrganization"}
_DELEGATED = ("Describe", "List")  # what every delegated administrator may call, too
# What a resource policy may grant besides (user guide, "Delegated administrator").
_BY_POLICY = {
    *("AttachPolicy", "CreatePolicy", "DeletePolicy", "DetachPolicy", "DisablePolicyType"),
    *("EnablePolicyType", "TagResource", "UntagResource", "UpdatePolicy"),
}
_PAGE = 20  # the most entries that one answer holds
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
    if not is_management and call.operation not in _MEMBERS and not _is_delegated(state, call):
        raise ServiceError(
            "AccessDeniedException",
            "You don't have permissions to access this resource.",
        )
    return TO_MOTO


def _is_delegated(state: SandboxState, call: Call) -> bool:
    """Whether a member may call what is for the management account."""
    reads = call.operation.startswith(_DELEGATED)
    if reads and call.caller.account_id in state.delegated:
        return True
    kept = resource_policies(state).get(organizations(management_of(call)).org.id)
    if kept is None or not (reads or call.operation in _BY_POLICY):
        return False
    action, names = f"organizations:{call.operation}", {"AWS": call.caller.names}
    request = AccessRequest(action, resource_of(state, call), context_of(call), names)
    return decide([parse_policy(kept["Content"])], request, resource_policy=True) == "allowed"


def resource_policies(state: SandboxState) -> dict[str, dict[str, Any]]:
    """Get the resource policies by the organization's id."""
    return state.of_service("organizations resource policies", dict)


def describe_account(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeAccount."""
    check_caller(state, call)
    return {"Account": described(state, call, find_account(call))}


def list_accounts(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListAccounts, in the order in which they joined."""
    check_caller(state, call)
    accounts = organizations(management_of(call)).accounts
    return page(call, "Accounts", [described(state, call, account) for account in accounts])


def list_accounts_for_parent(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListAccountsForParent: the accounts directly in an OU or the root."""
    own, parent = organization_of(state, call), call.parameters["ParentId"]
    find_place(own, parent)
    found = [described(state, call, a) for a in own.accounts if a.parent_id == parent]
    return page(call, "Accounts", found)


def management_of(call: Call) -> str:
    """Get the management account of the caller's organization."""
    return management_account(call.caller.account_id)


def find_account(call: Call) -> Any:
    """Get the account that a call names.

    Raises:
        ServiceError: AccountNotFoundException.
    """
    found = lookup.member(organizations(management_of(call)), call.parameters["AccountId"])
    if found is None:
        text = "You specified an account that doesn't exist."
        raise ServiceError("AccountNotFoundException", text)
    return found


def find_place(own: Any, place_id: str, missing: str = "ParentNotFoundException") -> Any:
    """Get the root or an OU by its id.

    Raises:
        ServiceError: ``missing``.
    """
    found = next((place for place in own.ou if place.id == place_id), None)
    if found is None:
        raise ServiceError(missing, _MISSING[missing])
    return found


_MISSING = {
    "DestinationParentNotFoundException": "You specified a destination parent that doesn't exist.",
    "OrganizationalUnitNotFoundException": (
        "You specified an organizational unit that doesn't exist."
    ),
    "ParentNotFoundException": "You specified parent that doesn't exist.",
    "RootNotFoundException": "You specified a root that doesn't exist.",
    "SourceParentNotFoundException": "You specified a source parent that doesn't exist.",
}


def organization_of(state: SandboxState, call: Call) -> Any:
    """Get the organization of a caller who may make the call.

    Raises:
        ServiceError: AccessDeniedException, AWSOrganizationsNotInUseException.
    """
    check_caller(state, call)
    return organizations(management_of(call))


def invalid(reason: str, message: str) -> ServiceError:
    """Make the error of a parameter's value."""
    return ServiceError("InvalidInputException", message, Reason=reason)


def violates(reason: str, message: str) -> ServiceError:
    """Make the error of a limit or a state that a call would violate."""
    return ServiceError("ConstraintViolationException", message, Reason=reason)


def check_all_features(own: Any) -> None:
    """Refuse an organization that only consolidates its bills.

    Raises:
        ServiceError: ConstraintViolationException.
    """
    if own.org.feature_set != "ALL":
        raise violates(
            "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
            "You attempted to perform an operation that requires an organization to be configured"
            " to support all features. An organization that supports only consolidated billing"
            " features can't perform this operation.",
        )


def page(call: Call, name: str, entries: Iterable[Any]) -> dict[str, Any]:
    """Get a page of a list; AWS answers 20 at most.

    Raises:
        ServiceError: InvalidInputException, since the token is none of an answer
            (https://github.com/boto/boto3/issues/4565).
    """
    every, token = list(entries), call.parameters.get("NextToken", "0")
    if not token.isdecimal() or int(token) > len(every):
        text = "You provided a value that does not match the required pattern."
        raise invalid("INVALID_NEXT_TOKEN", text)
    start = int(token)
    end = start + min(int(call.parameters.get("MaxResults") or _PAGE), _PAGE)
    more = {"NextToken": str(end)} if end < len(every) else {}
    return {name: every[start:end], **more}


def described(state: SandboxState, call: Call, account: Any) -> dict[str, Any]:
    """Describe an account as ListAccounts does."""
    found = {
        "Id": account.id,
        "Arn": account.arn,
        "Email": account.email,
        "Name": account.name,
        "State": account.state,
        "Paths": [_path(management_of(call), account)],
        "JoinedMethod": "INVITED" if account.id == management_of(call) else account.joined_method,
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
    "DescribeAccount": describe_account,
    "ListAccounts": list_accounts,
    "ListAccountsForParent": list_accounts_for_parent,
}
