"""What Octo's side knows of an account, and what can be asked of it."""

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
    "unreachable",  # Octo could not be asked
    "waiting",  # another step comes first
    "not_registered",  # Octo does not know the account
    "by_hand",  # there are no credentials: a person confirms it in Octo
]


class OctoAnswer(BaseModel):
    """What Octo says of one area.

    Attributes:
        state: see ``AnswerState``.
        at: when (ISO 8601, UTC).
        reason: what Octo said; empty where it is confirmed. Never a secret.
        hint: what solves it.
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
        confirmed: the areas that passed and are right to be confirmed, with the time (ISO 8601,
            UTC).
        finished_at: when *Confirm and Finish* was reached (ISO 8601, UTC), or null.
        octo_registered_at: when Octo itself learned of it (ISO 8601, UTC), or null.
        octo: what Octo itself last said of each area that passed.
        method: how the account's resources are made.
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
        """Whether Octo itself has confirmed the area."""
        return area in self.octo and self.octo[area].state == "confirmed"

    @property
    def left(self) -> list[AreaName]:
        """The areas that passed and that Octo has not confirmed."""
        return [
            area
            for area, status in self.statuses.items()
            if status == "pass" and not self.octo_confirmed(area)
        ]
