"""Cost Optimization Hub: which accounts are enrolled. It has no recommendations here.

Source: Billing and Cost Management API Reference, ListEnrollmentStatuses, UpdateEnrollmentStatus.
The answer for an account that never enrolled is not documented: here, Inactive.
"""

from __future__ import annotations

import time
from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.services.organizations import management_of
from orchestrator.sandbox.state import Enrolment, SandboxState, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "cost-optimization-hub"


def list_statuses(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListEnrollmentStatuses: of the caller, of one account, or of the organization."""
    own = call.caller.account_id
    wanted = [call.parameters.get("accountId", own)]
    if call.parameters.get("includeOrganizationInfo"):
        wanted = _members(call)
    elif wanted != [own] and wanted[0] not in _members(call):
        raise ServiceError(
            "AccessDeniedException", "You are not authorized to use this operation.", 400
        )
    items = []
    for account_id in wanted:
        held = state.optimization_hub.get(account_id, Enrolment(False, False, 0.0))
        items.append(
            {
                "accountId": account_id,
                "status": "Active" if held.active else "Inactive",
                "lastUpdatedTimestamp": held.changed,
                "createdTimestamp": held.changed,
            }
        )
    with_members = state.optimization_hub.get(own, Enrolment(False, False, 0.0)).with_members
    return {"items": items, "includeMemberAccounts": with_members}


def update_status(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateEnrollmentStatus: of the caller, and of its members if it is a management account."""
    status, own = call.parameters["status"], call.caller.account_id
    with_members = bool(call.parameters.get("includeMemberAccounts"))
    if with_members and management_of(call) != own:
        raise ServiceError(
            "AccessDeniedException",
            "Only the management account can enroll member accounts.",
            400,
        )
    changed = Enrolment(status == "Active", with_members, time.time())
    state.optimization_hub[own] = changed
    for account_id in _members(call) if with_members else ():
        state.optimization_hub[account_id] = changed
    return {"status": status}


def _members(call: Call) -> list[str]:
    """List the organization's accounts; a member, or an account without one, sees itself."""
    own = call.caller.account_id
    if management_of(call) != own:
        return [own]
    return [own, *(a.id for a in organizations(own).accounts if a.id != own)]


OPERATIONS: dict[str, Operation] = {
    "ListEnrollmentStatuses": list_statuses,
    "UpdateEnrollmentStatus": update_status,
}
