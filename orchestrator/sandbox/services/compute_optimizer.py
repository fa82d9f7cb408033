"""Compute Optimizer: which accounts have opted in, and which of their instances are idle.

Source: AWS Compute Optimizer API Reference, GetEnrollmentStatus, UpdateEnrollmentStatus,
GetEnrollmentStatusesForOrganization, GetIdleRecommendations. An organization's enrolment is Pending
as long as a stack takes here; on AWS, up to a day.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from moto.core.utils import get_service_model

from orchestrator.sandbox import enrolments
from orchestrator.sandbox.enrolments import Enrolment, enrolments_of, visible_accounts
from orchestrator.sandbox.instances import RunningInstance, running
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState, management_account
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "compute-optimizer"


def get_status(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetEnrollmentStatus: of the caller; a management account sees its members too."""
    own, enrolments = call.caller.account_id, enrolments_of(state, SERVICE)
    held = enrolments.of(own)
    opted_in = sum(enrolments.of(a).active for a in visible_accounts(own) if a != own)
    members = {"numberOfMemberAccountsOptedIn": opted_in} if management_account(own) == own else {}
    return {
        "status": _status(state, held),
        "memberAccountsEnrolled": held.with_members,
        "lastUpdatedTimestamp": held.changed,
        **members,
    }


def list_statuses(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetEnrollmentStatusesForOrganization: of the members, for their management account."""
    own, enrolments = call.caller.account_id, enrolments_of(state, SERVICE)
    if management_account(own) != own:
        raise ServiceError("AccessDeniedException", "You are not authorized to use this operation.")
    wanted = {v for f in call.parameters.get("filters", []) for v in f.get("values", [])}
    found = [
        {
            "accountId": account_id,
            "status": _status(state, held),
            "lastUpdatedTimestamp": held.changed,
        }
        for account_id in visible_accounts(own)
        for held in [enrolments.of(account_id)]
        if account_id != own and (not wanted or _status(state, held) in wanted)
    ]
    return {"accountEnrollmentStatuses": found}


def update_status(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateEnrollmentStatus: of the caller, and of its members if it is a management account."""
    if call.parameters["status"] not in ("Active", "Inactive"):
        raise ServiceError("InvalidParameterValueException", "The status is not valid.")
    return {"status": _status(state, enrolments_of(state, SERVICE).update(call))}


def check_opted_in(state: SandboxState, call: Call) -> dict[str, Any]:
    """Every call for recommendations: there are none, but for idle instances."""
    own = call.caller.account_id
    if not enrolments_of(state, SERVICE).of(own).active:
        text = "Aws account is not registered for recommendation."
        raise ServiceError("OptInRequiredException", text)
    return no_entries(state, call)


def no_entries(_state: SandboxState, call: Call) -> dict[str, Any]:
    """Every call for a list that is empty here."""
    shape = get_service_model(SERVICE).operation_model(call.operation).output_shape
    return {name: [] for name, member in shape.members.items() if member.type_name == "list"}


def idle(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetIdleRecommendations: the running instances of accounts that have opted in."""
    check_opted_in(state, call)
    own, enrolments = call.caller.account_id, enrolments_of(state, SERVICE)
    wanted = [a for a in call.parameters.get("accountIds") or [own] if a in visible_accounts(own)]
    found = running(a for a in wanted if enrolments.of(a).active)
    return {"idleRecommendations": [_idle(i) for i in found if i.region == call.region]}


def _idle(instance: RunningInstance) -> dict[str, Any]:
    saved = {"currency": "USD", "value": instance.monthly_cost}
    return {
        "resourceArn": instance.arn,
        "resourceId": instance.id,
        "resourceType": "EC2Instance",
        "accountId": instance.account_id,
        "finding": "Idle",
        "findingDescription": "The instance had no load in the look-back period.",
        "savingsOpportunity": {
            "savingsOpportunityPercentage": 100.0,
            "estimatedMonthlySavings": saved,
        },
        "lookBackPeriodInDays": 14.0,
        "lastRefreshTimestamp": time.time(),
    }


def _status(state: SandboxState, held: Enrolment) -> str:
    if not held.active:
        return "Inactive"
    is_done = not held.with_members or time.time() >= held.changed + state.stack_seconds
    return "Active" if is_done else "Pending"


def contents(state: SandboxState) -> Iterator[str]:
    """Describe the accounts that have opted in."""
    yield from enrolments_of(state, SERVICE).contents("Compute Optimizer")


permissions = enrolments.permissions
_RECOMMENDATIONS = [
    name
    for name in get_service_model(SERVICE).operation_names
    if name.startswith("Get") and name.endswith(("Recommendations", "Summaries"))
]
OPERATIONS: dict[str, Operation] = {
    "DescribeRecommendationExportJobs": no_entries,
    **dict.fromkeys(_RECOMMENDATIONS, check_opted_in),
    "GetEnrollmentStatus": get_status,
    "GetEnrollmentStatusesForOrganization": list_statuses,
    "GetIdleRecommendations": idle,
    "GetRecommendationPreferences": no_entries,
    "UpdateEnrollmentStatus": update_status,
}
