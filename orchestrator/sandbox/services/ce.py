"""Cost Explorer, for accounts without any costs.

Sources: AWS Cost Explorer API Reference, GetCostAndUsage, GetCostForecast, GetTags,
UpdateCostAllocationTagsStatus; real error texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "ce"
_UNITS = {
    **dict.fromkeys(("AmortizedCost", "BlendedCost", "NetAmortizedCost"), "USD"),
    **dict.fromkeys(("NetUnblendedCost", "UnblendedCost"), "USD"),
    **dict.fromkeys(("NormalizedUsageAmount", "UsageQuantity"), "N/A"),
}


def cost_and_usage(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetCostAndUsage: zero in every period."""
    given, groups = call.parameters, call.parameters.get("GroupBy")
    if not given.get("Metrics"):
        raise ServiceError("ValidationException", "Metrics must be specified.")
    by_name = {name.lower(): name for name in _UNITS}
    metrics = [by_name.get(metric.replace("_", "").lower()) for metric in given["Metrics"]]
    if None in metrics:
        raise ServiceError("ValidationException", "Invalid metric")
    total = {str(m): {"Amount": "0", "Unit": _UNITS[str(m)]} for m in metrics}
    results = [
        {
            "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
            "Total": {} if groups else total,
            "Groups": [],
            "Estimated": end > datetime.now(timezone.utc).date().replace(day=1),
        }
        for start, end in _periods(*_time_period(call), monthly=given["Granularity"] == "MONTHLY")
    ]
    defined = {"GroupDefinitions": groups} if groups else {}
    return {"ResultsByTime": results, "DimensionValueAttributes": [], **defined}


def _periods(start: date, end: date, *, monthly: bool) -> Iterator[tuple[date, date]]:
    while start < end:
        after = start + timedelta(days=1)
        if monthly:
            after = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield start, min(after, end)
        start = after


def _time_period(call: Call) -> tuple[date, date]:
    given = call.parameters["TimePeriod"]
    try:
        start, end = (date.fromisoformat(given[name][:10]) for name in ("Start", "End"))
    except ValueError:
        text = "Invalid time period: dates have the form yyyy-MM-dd"
        raise ServiceError("ValidationException", text) from None
    if start >= end:
        text = "Start date (and hour) should be before end date (and hour)"
        raise ServiceError("ValidationException", text)
    return start, end


def _lists_none(member: str) -> Operation:
    """Make an operation that lists what had costs in a period: nothing."""

    def listed(_state: SandboxState, call: Call) -> dict[str, Any]:
        _time_period(call)
        return {member: [], "ReturnSize": 0, "TotalSize": 0}

    return listed


def no_data(_state: SandboxState, call: Call) -> dict[str, Any]:
    """Refuse a call that needs months of data, or a savings plan."""
    _time_period(call)
    text = "Data is not available. Please try to adjust the time period."
    if call.operation.endswith("Forecast"):
        text = "Insufficient amount of historical data to generate forecast."
    raise ServiceError("DataUnavailableException", text)


def update_tags(_state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateCostAllocationTagsStatus: no tag key has appeared in a bill."""
    keys = [given["TagKey"] for given in call.parameters["CostAllocationTagsStatus"]]
    text = "Tag keys not found"
    errors = [{"TagKey": k, "Code": "TagKeysNotFoundException", "Message": text} for k in keys]
    return {"Errors": errors}


OPERATIONS: dict[str, Operation] = {
    "GetCostAndUsage": cost_and_usage,
    "GetCostCategories": _lists_none("CostCategoryNames"),
    "GetDimensionValues": _lists_none("DimensionValues"),
    "GetTags": _lists_none("Tags"),
    **dict.fromkeys(("GetCostForecast", "GetUsageForecast"), no_data),
    **dict.fromkeys(("GetSavingsPlansCoverage", "GetSavingsPlansUtilization"), no_data),
    "GetSavingsPlansUtilizationDetails": no_data,
    "UpdateCostAllocationTagsStatus": update_tags,
}
