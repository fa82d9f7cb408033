"""What Octo's side knows of an account, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.engine.outputs import AccountType

AreaName = Literal["api_access", "cur_s3", "stackset"]
AreaStatus = Literal["pass", "fail", "pending", "skipped"]


class AccountRecord(BaseModel):
    """One registered account.

    Attributes:
        statuses: each area's status when it was last verified.
        confirmed: the areas that were confirmed to Octo, with the time (ISO 8601, UTC).
        finished_at: when *Confirm and Finish* was reached (ISO 8601, UTC), or null.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_id: str
    account_name: str
    account_type: AccountType
    registered_at: str
    verified_at: str | None = None
    statuses: dict[AreaName, AreaStatus] = Field(default_factory=dict)
    confirmed: dict[AreaName, str] = Field(default_factory=dict)
    finished_at: str | None = None


class OctoSide(Protocol):
    """Where accounts are registered and confirmed: a local ledger, or Octo's API."""

    def register(
        self, account_id: str, account_name: str, account_type: AccountType
    ) -> AccountRecord:
        """Makes the account known. Registering one that is known updates it and loses nothing."""

    def confirm(
        self, account_id: str, statuses: dict[AreaName, AreaStatus], *, finish: bool
    ) -> AccountRecord:
        """Records what was verified; areas that pass are confirmed.

        Args:
            account_id: a registered account.
            statuses: each area's status.
            finish: whether *Confirm and Finish* is allowed.
        """

    def register_linked(self, standings: Mapping[str, tuple[str, AreaStatus]]) -> list[str]:
        """Makes a payer's linked accounts known as their API access passes.

        One that is known stays so when it fails later: its status says it.

        Args:
            standings: each linked account's name and the status of its API access.

        Returns:
            The accounts that were not known before.
        """

    def account(self, account_id: str) -> AccountRecord | None:
        """What is known of the account; None if it is not registered."""
