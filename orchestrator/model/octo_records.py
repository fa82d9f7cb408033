"""The record of a registered account, and Octo's answers about it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.account import AccountType

AreaName = Literal["api_access", "cur_s3", "stackset"]
AreaStatus = Literal["pass", "fail", "pending", "skipped"]
Method = Literal["terraform", "console"]
AnswerState = Literal[
    "confirmed",
    "pending",  # Octo has not found it yet
    "refused",  # Octo looked, and it is not right
    "unreachable",  # Octo did not answer
    "waiting",  # another step comes first
    "not_registered",  # Octo does not know the account
    "by_hand",  # there are no credentials: a person confirms it in Octo
]


class OctoAnswer(BaseModel):
    """Octo's answer about one area.

    Attributes:
        state: see ``AnswerState``.
        at: when Octo answered (ISO 8601, UTC).
        reason: Octo's words; empty if the area is confirmed. Never a secret.
        hint: what to do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: AnswerState
    at: str
    reason: str = ""
    hint: str = ""


class AccountRecord(BaseModel):
    """One registered account.

    Attributes:
        statuses: each area's status when it was last verified.
        confirmed: when each area passed, so that it can be confirmed (ISO 8601, UTC).
        finished_at: when *Confirm and Finish* was reached (ISO 8601, UTC), or null.
        octo_registered_at: when it was registered with Octo (ISO 8601, UTC), or null.
        octo: Octo's last answer about each area that passed.
        method: how the account's resources are created.
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
    octo_registered_at: str | None = None
    octo: dict[AreaName, OctoAnswer] = Field(default_factory=dict)
    method: Method = "terraform"

    def octo_confirmed(self, area: AreaName) -> bool:
        """Tell whether Octo has confirmed the area."""
        return area in self.octo and self.octo[area].state == "confirmed"

    @property
    def unconfirmed(self) -> list[AreaName]:
        """List the areas that passed and that Octo has not confirmed."""
        return [
            area
            for area, status in self.statuses.items()
            if status == "pass" and not self.octo_confirmed(area)
        ]
