"""Cost Optimization Hub: which accounts are enrolled, and what it recommends of instances.

Source: Billing and Cost Management API Reference, ListEnrollmentStatuses, UpdateEnrollmentStatus,
ListRecommendations, ListRecommendationSummaries, GetPreferences (whose defaults are not
documented); the error of an account that is not enrolled is the one that the AWS provider
for Terraform knows. The answer for an account that never enrolled is not documented: here,
Inactive. AWS takes 1 to 3 days to recommend something; here it is there at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.sandbox import enrolments
from orchestrator.sandbox.enrolments import enrolments_of, visible_accounts
from orchestrator.sandbox.instances import RunningInstance, running
from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "cost-optimization-hub"


def list_statuses(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListEnrollmentStatuses: of the caller, of one account, or of the organization."""
    own, enrolments = call.caller.account_id, enrolments_of(state, SERVICE)
    wanted = [call.parameters.get("accountId", own)]
    if call.parameters.get("includeOrganizationInfo"):
        wanted = visible_accounts(own)
    elif wanted[0] not in visible_accounts(own):
        raise ServiceError("AccessDeniedException", "You are not authorized to use this operation.")
    items = [
        {
            "accountId": account_id,
            "status": "Active" if held.active else "Inactive",
            "lastUpdatedTimestamp": held.changed,
            "createdTimestamp": held.changed,
        }
        for account_id in wanted
        for held in [enrolments.of(account_id)]
    ]
    return {"items": items, "includeMemberAccounts": enrolments.of(own).with_members}


def update_status(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateEnrollmentStatus: of the caller, and of its members if it is a management account."""
    enrolments_of(state, SERVICE).update(call)
    return {"status": call.parameters["status"]}


def get_preferences(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetPreferences."""
    kept = state.of_service(f"{SERVICE} preferences", dict[str, dict[str, Any]])
    return {**_PREFERENCES, **kept.get(call.caller.account_id, {})}


def update_preferences(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdatePreferences."""
    kept = state.of_service(f"{SERVICE} preferences", dict[str, dict[str, Any]])
    kept[call.caller.account_id] = {**get_preferences(state, call), **call.parameters}
    return get_preferences(state, call)


_PREFERENCES = {
    "savingsEstimationMode": "BeforeDiscounts",
    "memberAccountDiscountVisibility": "All",
}


def get_recommendation(state: SandboxState, call: Call) -> dict[str, Any]:
    """GetRecommendation."""
    wanted = call.parameters["recommendationId"]
    for found in _recommendations(state, call):
        if found["recommendationId"] == wanted:
            return found
    raise ServiceError("ResourceNotFoundException", f"Recommendation {wanted} does not exist.")


_GROUPS = (
    *("AccountId", "Region", "ActionType", "ResourceType", "RestartNeeded"),
    *("RollbackPossible", "ImplementationEffort"),
)


def list_summaries(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListRecommendationSummaries: by one member of the recommendations."""
    by = call.parameters["groupBy"]
    if by not in _GROUPS:
        raise ServiceError("ValidationException", f"groupBy must be one of {', '.join(_GROUPS)}.")
    name = "currentResourceType" if by == "ResourceType" else by[:1].lower() + by[1:]
    groups: dict[str, list[dict[str, Any]]] = {}
    for found in _recommendations(state, call):
        groups.setdefault(str(found.get(name, "")), []).append(found)
    items = [
        {
            "group": group,
            "estimatedMonthlySavings": sum(f["estimatedMonthlySavings"] for f in found),
            "recommendationCount": len(found),
        }
        for group, found in groups.items()
    ]
    return {
        "estimatedTotalDedupedSavings": sum(i["estimatedMonthlySavings"] for i in items),
        "items": items,
        "groupBy": by,
        "currencyCode": "USD",
    }


def list_recommendations(state: SandboxState, call: Call) -> dict[str, Any]:
    """ListRecommendations: to stop each running instance of the accounts that are enrolled."""
    items = _recommendations(state, call)
    start, most = int(call.parameters.get("nextToken", 0)), call.parameters.get("maxResults", 100)
    more = {"nextToken": str(start + most)} if start + most < len(items) else {}
    return {"items": items[start : start + most], **more}


def _recommendations(state: SandboxState, call: Call) -> list[dict[str, Any]]:
    own, enrolments = call.caller.account_id, enrolments_of(state, SERVICE)
    if not enrolments.of(own).active:
        raise ServiceError(
            "AccessDeniedException", "AWS account is not enrolled for recommendations"
        )
    wanted = call.parameters.get("filter", {})
    found = running(a for a in visible_accounts(own) if enrolments.of(a).active)
    return [
        _recommendation(instance)
        for instance in found
        if instance.account_id in wanted.get("accountIds", [instance.account_id])
        and instance.region in wanted.get("regions", [instance.region])
        and "Stop" in wanted.get("actionTypes", ["Stop"])
        and "Ec2Instance" in wanted.get("resourceTypes", ["Ec2Instance"])
    ]


def _recommendation(instance: RunningInstance) -> dict[str, Any]:
    return {
        "recommendationId": f"{instance.account_id}_{instance.id}",
        "accountId": instance.account_id,
        "region": instance.region,
        "resourceId": instance.id,
        "resourceArn": instance.arn,
        "currentResourceType": "Ec2Instance",
        "recommendedResourceType": "Ec2Instance",
        "estimatedMonthlySavings": instance.monthly_cost,
        "estimatedMonthlyCost": instance.monthly_cost,
        "estimatedSavingsPercentage": 100.0,
        "currencyCode": "USD",
        "actionType": "Stop",
        "implementationEffort": "VeryLow",
        "restartNeeded": False,
        "rollbackPossible": True,
        "source": "ComputeOptimizer",
        "currentResourceSummary": instance.type,
    }


def contents(state: SandboxState) -> Iterator[str]:
    """Describe the accounts that are enrolled."""
    yield from enrolments_of(state, SERVICE).contents("Cost Optimization Hub")


permissions = enrolments.permissions
OPERATIONS: dict[str, Operation] = {
    "GetPreferences": get_preferences,
    "GetRecommendation": get_recommendation,
    "ListEnrollmentStatuses": list_statuses,
    "ListRecommendationSummaries": list_summaries,
    "ListRecommendations": list_recommendations,
    "UpdateEnrollmentStatus": update_status,
    "UpdatePreferences": update_preferences,
}
