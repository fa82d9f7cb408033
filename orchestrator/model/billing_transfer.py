"""Billing transfers: one organization's management account pays and manages another one's bills.

Sources: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/orgs_transfer_billing.html and
https://docs.aws.amazon.com/cur/latest/userguide/creating-cur.html: reports on transferred billing
are made in Data Exports only, never as (legacy) Cost and Usage Reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

# "The transfer continues until the end date": the last day of the month that was named when it was
# withdrawn (.../orgs_transfer_billing-stop-transfer.html, .../orgs_transfer_billing-view-transfer).
_AGREED = frozenset({"ACCEPTED", "WITHDRAWN"})
_NEVER_BEGAN = frozenset({"REQUESTED", "DECLINED", "CANCELED", "EXPIRED"})
_GOING = (
    "the billing of this organization is transferred to account {}: the Cost and Usage Report ends"
    " then."
)
_COMING = (
    "this account pays the bills of account {}: its Cost and Usage Report does not include them."
)


@dataclass(frozen=True)
class BillingTransfer:
    """A transfer or an invitation to one, as Organizations lists it.

    Attributes:
        account_id: the management account on the other side.
        status: AWS's word for it; one that octo-tf does not know may come.
        start: when it starts; None if AWS says nothing.
        end: when it ends; None without an end.
    """

    account_id: str
    status: str
    start: datetime | None
    end: datetime | None

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether the billing is transferred now."""
        if self.status == "WITHDRAWN" and self.end is None:
            return False
        return (
            self.status in _AGREED
            and (self.start is None or self.start <= now)
            and (self.end is None or now < self.end)
        )

    def is_unclear(self, now: datetime) -> bool:
        """Tell whether it has a status that octo-tf does not know, and has not ended."""
        known = _AGREED | _NEVER_BEGAN
        return self.status not in known and (self.end is None or now < self.end)


@dataclass(frozen=True)
class BillingTransfers:
    """What is transferred from an organization (outbound) and to its management account (inbound).

    Attributes:
        paid_by: the account that pays this organization's bills; None if it pays them itself.
        pays_for: the management accounts whose bills this account pays.
        notes: what else the user must know, in sentences.
    """

    paid_by: str | None = None
    pays_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Say what is lost, and what is not known, in sentences."""
        found = []
        if self.paid_by:
            found.append(
                f"The billing of this organization is transferred to account {self.paid_by}: AWS"
                " delivers no Cost and Usage Report on it here, and this account sees only the"
                " costs that the other account shows it."
            )
        if self.pays_for:
            found.append(
                "The bills of other organizations are transferred to this account"
                f" ({', '.join(self.pays_for)}): its Cost and Usage Report does not include them."
                " AWS reports on them in Data Exports only, which octo-tf does not create."
            )
        return (*found, *self.notes)

    @property
    def remedy(self) -> str:
        """Say what to do in an organization whose billing is transferred."""
        return (
            "End the transfer (Billing transfer in the AWS console), and register the account after"
            " the transfer's end date. Until then AWS reports on this organization in account"
            f" {self.paid_by} alone, in Data Exports, which octo-tf does not create: ask Octo's"
            " support whether Octo can read those."
        )


def summarize(
    outbound: list[BillingTransfer], inbound: list[BillingTransfer], now: datetime
) -> BillingTransfers:
    """Tell what is in force now, what is about to be, and what is not clear."""
    paid_by = next((t.account_id for t in outbound if t.is_in_force(now)), None)
    notes = [
        f"AWS says that the billing transfer with account {t.account_id} is {t.status}, which"
        " octo-tf does not know: look at Billing transfer in the AWS console."
        for t in (*outbound, *inbound)
        if t.is_unclear(now)
    ]
    notes += [
        f"From {t.start:%Y-%m-%d} {what.format(t.account_id)}"
        for transfers, what in ((outbound, _GOING), (inbound, _COMING))
        for t in transfers
        if t.status == "ACCEPTED" and t.start is not None and t.start > now
    ]
    pays_for = sorted({t.account_id for t in inbound if t.is_in_force(now)})
    return BillingTransfers(paid_by, tuple(pays_for), tuple(notes))
