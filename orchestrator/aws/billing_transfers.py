"""Read whether an organization's billing is transferred, from it or to it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from orchestrator.aws.errors import code_of, is_denied
from orchestrator.aws.facts import fact
from orchestrator.aws.session import Aws
from orchestrator.model.billing_transfer import BillingTransfer, BillingTransfers, summarize

if TYPE_CHECKING:
    from mypy_boto3_organizations.type_defs import ResponsibilityTransferTypeDef

# Partitions and endpoints without billing transfer.
_UNSUPPORTED = {"UnsupportedAPIEndpointException", "UnknownOperationException"}


@fact
def read_billing_transfers(aws: Aws, now: datetime | None = None) -> BillingTransfers:
    """Read the billing transfers of a management account's organization.

    A caller who may not ask gets a note that names the permission: registering goes on.

    Sources: ListOutboundResponsibilityTransfers, ListInboundResponsibilityTransfers.

    Args:
        aws: calls as the management account.
        now: the time to judge the transfers' dates by; None for the present.
    """
    now = now or datetime.now(timezone.utc)
    notes: list[str] = []
    outbound = _listed(aws, "Outbound", notes)
    inbound = _listed(aws, "Inbound", notes)
    found = summarize(outbound, inbound, now)
    return BillingTransfers(found.paid_by, found.pays_for, (*found.notes, *notes))


def _listed(aws: Aws, direction: str, notes: list[str]) -> list[BillingTransfer]:
    client = aws.client("organizations")
    list_page = {
        "Outbound": client.list_outbound_responsibility_transfers,
        "Inbound": client.list_inbound_responsibility_transfers,
    }[direction]
    found: list[BillingTransfer] = []
    token: dict[str, str] = {}
    while True:
        try:
            page = list_page(Type="BILLING", **token)  # type: ignore[arg-type]  # NextToken
        except ClientError as error:
            if is_denied(error):
                action = f"organizations:List{direction}ResponsibilityTransfers"
                notes.append(
                    "Whether billing is transferred is not known: grant the caller"
                    f" {action} to find out."
                )
            elif code_of(error) not in _UNSUPPORTED:
                raise
            return found
        found += [_transfer(entry, direction) for entry in page.get("ResponsibilityTransfers", [])]
        if not page.get("NextToken"):
            return found
        token = {"NextToken": page["NextToken"]}


def _transfer(entry: ResponsibilityTransferTypeDef, direction: str) -> BillingTransfer:
    other = entry.get("Target", {}) if direction == "Outbound" else entry.get("Source", {})
    return BillingTransfer(
        str(other.get("ManagementAccountId", "unknown")),
        str(entry.get("Status", "")),
        entry.get("StartTimestamp"),
        entry.get("EndTimestamp"),
    )
