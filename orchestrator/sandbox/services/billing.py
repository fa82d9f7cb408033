"""Billing: an account has its primary billing view, and no other.

Source: AWS Billing API Reference, ListBillingViews, GetBillingView.
"""

from __future__ import annotations

from typing import Any

from orchestrator.sandbox.services import Operation
from orchestrator.sandbox.state import PARTITION, SandboxState
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "billing"


def list_views(_state: SandboxState, call: Call) -> dict[str, Any]:
    """ListBillingViews."""
    view, given = _primary(call), call.parameters
    fits = (
        view["arn"] in given.get("arns", [view["arn"]])
        and view["billingViewType"] in given.get("billingViewTypes", ["PRIMARY"])
        and given.get("ownerAccountId", call.caller.account_id) == call.caller.account_id
    )
    return {"billingViews": [view] if fits else []}


def get_view(_state: SandboxState, call: Call) -> dict[str, Any]:
    """GetBillingView."""
    view, wanted = _primary(call), call.parameters["arn"]
    if wanted != view["arn"]:
        text = f"The billing view {wanted} does not exist."
        raise ServiceError("ResourceNotFoundException", text)
    return {"billingView": view}


def _primary(call: Call) -> dict[str, Any]:
    account_id = call.caller.account_id
    return {
        "arn": f"arn:{PARTITION}:billing::{account_id}:billingview/primary",
        "name": "Primary View",
        "description": f"Primary View for account {account_id}",
        "billingViewType": "PRIMARY",
        "ownerAccountId": account_id,
    }


OPERATIONS: dict[str, Operation] = {"GetBillingView": get_view, "ListBillingViews": list_views}
