"""Billing transfers of Organizations, between the management accounts of two organizations.

The account that is to pay invites, the other one accepts, either withdraws; a withdrawn transfer
goes on until its end date. Sources: botocore's model of Organizations; AWS Billing User Guide,
"Transfer billing management to external accounts", "Withdrawing transfers".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from orchestrator.sandbox.services import TO_MOTO, Operation
from orchestrator.sandbox.services.organizations import check_caller, page
from orchestrator.sandbox.state import SandboxState, organizations
from orchestrator.sandbox.wire import Call, ServiceError

SERVICE = "organizations"


def invite(state: SandboxState, call: Call) -> dict[str, Any]:
    """InviteOrganizationToTransferResponsibility."""
    check_caller(state, call)
    target = call.parameters["Target"]["Id"]
    if organizations(target).org is None or target == call.caller.account_id:
        raise ServiceError("InvalidInputException", "The target must be a management account.")
    number = f"{len(state.billing_transfers):08d}"
    organization = organizations(call.caller.account_id).org.id
    transfer = {
        "Arn": f"arn:aws:organizations::{call.caller.account_id}:transfer/{organization}/billing/"
        f"inbound/rt-{number}",
        "Name": call.parameters["SourceName"],
        "Id": f"rt-{number}",
        "Type": call.parameters["Type"],
        "Status": "REQUESTED",
        "Source": {"ManagementAccountId": target},
        "Target": {"ManagementAccountId": call.caller.account_id},
        "StartTimestamp": call.parameters["StartTimestamp"],
        "ActiveHandshakeId": f"h-{number}",
    }
    state.billing_transfers.append(transfer)
    return {"Handshake": {"Id": transfer["ActiveHandshakeId"], "State": "REQUESTED"}}


def accept(state: SandboxState, call: Call) -> Any:
    """AcceptHandshake, of an invitation to transfer billing; any other is moto's."""
    check_caller(state, call)
    for transfer in state.billing_transfers:
        if transfer.get("ActiveHandshakeId") == call.parameters["HandshakeId"]:
            if transfer["Source"]["ManagementAccountId"] != call.caller.account_id:
                raise ServiceError("AccessDeniedException", "You are not the invited account.")
            transfer["Status"] = "ACCEPTED"
            return {"Handshake": {"Id": transfer.pop("ActiveHandshakeId"), "State": "ACCEPTED"}}
    return TO_MOTO


def describe(state: SandboxState, call: Call) -> dict[str, Any]:
    """DescribeResponsibilityTransfer."""
    return {"ResponsibilityTransfer": _find(state, call)}


def rename(state: SandboxState, call: Call) -> dict[str, Any]:
    """UpdateResponsibilityTransfer: its name."""
    transfer = _find(state, call)
    transfer["Name"] = call.parameters["Name"]
    return {"ResponsibilityTransfer": transfer}


def terminate(state: SandboxState, call: Call) -> dict[str, Any]:
    """TerminateResponsibilityTransfer: WITHDRAWN, with an end date, which AWS asks to be a month's.

    Without one it is the end of this month.
    """
    transfer = _find(state, call)
    if transfer["Status"] == "WITHDRAWN":
        raise ServiceError(
            "ResponsibilityTransferAlreadyInStatusException",
            "The responsibility transfer is already in the status that you specified.",
        )
    if transfer["Status"] != "ACCEPTED":
        raise ServiceError(
            "InvalidResponsibilityTransferTransitionException",
            "The responsibility transfer can't transition to the requested state because it's not"
            " in a valid state for this operation.",
        )
    end = call.parameters.get("EndTimestamp") or _end_of_month()
    transfer.update({"Status": "WITHDRAWN", "EndTimestamp": end})
    return {"ResponsibilityTransfer": transfer}


def _end_of_month() -> datetime:
    first = datetime.now(timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return next_month - timedelta(milliseconds=1)


def _find(state: SandboxState, call: Call) -> dict[str, Any]:
    check_caller(state, call)
    for transfer in _of(state, call, "Source") + _of(state, call, "Target"):
        if transfer["Id"] == call.parameters["Id"]:
            return transfer
    raise ServiceError(
        "ResponsibilityTransferNotFoundException", "We can't find a transfer that you specified."
    )


def _lister(own_side: str) -> Operation:
    def list_transfers(state: SandboxState, call: Call) -> dict[str, Any]:
        check_caller(state, call)
        every = _of(state, call, own_side)
        return page(call, "ResponsibilityTransfers", every)

    return list_transfers


def _of(state: SandboxState, call: Call, side: str) -> list[dict[str, Any]]:
    """The transfers in which the caller's account is the Source (outbound) or Target (inbound)."""
    own = call.caller.account_id
    return [t for t in state.billing_transfers if t[side]["ManagementAccountId"] == own]


OPERATIONS: dict[str, Callable[[SandboxState, Call], Any]] = {
    "InviteOrganizationToTransferResponsibility": invite,
    "ListInboundResponsibilityTransfers": _lister("Target"),
    "ListOutboundResponsibilityTransfers": _lister("Source"),
    "DescribeResponsibilityTransfer": describe,
    "TerminateResponsibilityTransfer": terminate,
    "UpdateResponsibilityTransfer": rename,
}
