"""The AWS account that a run is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.model.billing_transfer import BillingTransfers

AccountType = Literal["payer", "linked", "standalone"]


@dataclass(frozen=True)
class Account:
    """An AWS account, as STS and Organizations describe it to its own credentials.

    Attributes:
        account_id: 12 digits.
        account_type: ``payer``, ``linked`` or ``standalone``.
        caller_arn: the ARN of the caller's user, role session or root.
        management_account_id: the organization's; None for a standalone account, and if access to
            the organization is denied.
        billing: what billing is transferred from or to a payer's organization.
    """

    account_id: str
    account_type: AccountType
    caller_arn: str
    management_account_id: str | None
    billing: BillingTransfers = field(default_factory=BillingTransfers)
