"""An AWS account as its own credentials show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AccountType = Literal["payer", "linked", "standalone"]


@dataclass(frozen=True)
class Account:
    """An AWS account as its own credentials show it.

    Attributes:
        account_id: 12 digits.
        account_type: ``payer``, ``linked`` or ``standalone``.
        caller_arn: who the credentials are.
        management_account_id: the organization's; None for a standalone account, and where the
            organization may not be read.
    """

    account_id: str
    account_type: AccountType
    caller_arn: str
    management_account_id: str | None
