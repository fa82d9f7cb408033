"""An account's registration with Octo: its history as the ledger keeps it, and Octo's answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.model.account import AccountType
from orchestrator.model.enrolment import MadeEnrolment, ServiceName
from orchestrator.model.module_contract.octo_names import Area

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
    "left",  # octo-tf unregistered the account
    "by_hand",  # there are no credentials: to be confirmed in Octo by hand
]
RotationPhase = Literal["accepting", "waiting", "dropping", "put_back", "done"]
LABELS: dict[AreaName, str] = {name: Area(name).label for name in get_args(AreaName)}


class OctoAnswer(BaseModel):
    """What Octo says of one area.

    Attributes:
        state: see ``AnswerState``.
        at: when (ISO 8601, UTC).
        reason: what Octo said; empty where it is confirmed. Never a secret.
        hint: what solves it.
        outdated: of a confirmed area: whether Octo's template has changed since.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: AnswerState
    at: str
    reason: str = ""
    hint: str = ""
    outdated: bool = False


class RotationRecord(BaseModel):
    """How far a rotation of the external id has come, as far as was seen from here.

    Attributes:
        phase: ``accepting``: the new id is being accepted beside the present one. ``waiting``: both
            are, and Octo has not changed. ``dropping``: the previous id is being dropped.
            ``put_back``: Octo was refused without it, and both are accepted again. ``done``.
        since: when the rotation began (ISO 8601, UTC); null if octo.yaml does not say it.
        at: when the phase began, or null.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    phase: RotationPhase
    since: str | None
    at: str | None


class AccountRecord(BaseModel):
    """The history of one account's registration; every time is ISO 8601, UTC, or null.

    ``ledger.json`` omits fields that have their default value.

    Attributes:
        account_type: as it was last identified; null where it never was from here.
        method: how the account's resources are made.
        planned_at: when a plan was last made.
        applied_at: when a plan was last applied completely.
        verified_at: when AWS was last verified.
        statuses: each area's status then.
        passing_since: the areas that pass, with the time since when.
        registered_at: since when Octo knows the account, as far as was seen from here.
        answers: what Octo last said of each area that passed.
        confirmed_at: the areas that Octo has confirmed, with the time since when.
        finished_at: when *Confirm and Finish* was reached: Octo had confirmed API access.
        destroying_at: when a destroy began that has not ended; null if there is none.
        destroyed_at: when octo-tf destroyed its resources in AWS; null once they are made again.
        left_at: when octo-tf unregistered the account; null once it is registered again.
        left_with: the payer whose unregistration took this linked account along, or null.
        rotation: the last rotation of the external id; null if there was none.
        deliveries: when AWS delivered billing data, oldest first: the latest delivery at each
            verification of the last year. Deliveries between two verifications are missing.
        enrolments: the enrolments in AWS services that octo-tf made and has not ended.
        kept_roles: the linked accounts in which destroy left the StackSet's role.
        adopted_bucket: the bucket that octo-tf adopted, and never deletes; null if there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_id: str
    account_name: str
    account_type: AccountType | None = None
    method: Method = "terraform"
    planned_at: str | None = None
    applied_at: str | None = None
    verified_at: str | None = None
    statuses: dict[AreaName, AreaStatus] = Field(default_factory=dict)
    passing_since: dict[AreaName, str] = Field(default_factory=dict)
    registered_at: str | None = None
    answers: dict[AreaName, OctoAnswer] = Field(default_factory=dict)
    confirmed_at: dict[AreaName, str] = Field(default_factory=dict)
    finished_at: str | None = None
    destroying_at: str | None = None
    destroyed_at: str | None = None
    left_at: str | None = None
    left_with: str | None = None
    rotation: RotationRecord | None = None
    deliveries: tuple[str, ...] = ()
    enrolments: dict[ServiceName, MadeEnrolment] = Field(default_factory=dict)
    kept_roles: tuple[str, ...] = ()
    adopted_bucket: str | None = None

    @property
    def is_registered(self) -> bool:
        """Whether Octo knew the account when it was last asked from here."""
        return self.registered_at is not None and self.left_at is None

    @property
    def unconfirmed(self) -> list[AreaName]:
        """The areas that passed and that Octo has not confirmed."""
        return [
            area
            for area in LABELS
            if self.statuses.get(area) == "pass" and not self.is_confirmed(area)
        ]

    @property
    def outdated(self) -> list[AreaName]:
        """The areas whose template Octo called outdated when it last answered."""
        return [a for a in LABELS if a in self.answers and self.answers[a].outdated]

    def is_confirmed(self, area: AreaName) -> bool:
        """Tell whether Octo has confirmed the area, as far as is known here."""
        return area in self.answers and self.answers[area].state == "confirmed"

    def steps_by_hand(self) -> list[str]:
        """List what is still to be done in Octo by hand, where there are no credentials for it.

        Empty where Octo has confirmed everything that passes, where API access does not pass yet,
        and of an account that left.
        """
        if self.statuses.get("api_access") != "pass" or self.left_at is not None:
            return []
        register = [] if self.is_registered else ["Register Account"]
        confirm = [f"Check and Confirm for {LABELS[area]}" for area in self.unconfirmed]
        finish = [] if self.is_registered and self.finished_at else ["Confirm and Finish"]
        return [*register, *confirm, *finish]


@dataclass(frozen=True)
class Confirmation:
    """What came of having Octo confirm an account.

    Attributes:
        record: the account's history, with what was found out now.
        answers: Octo's answer for each area that passes; ``by_hand`` without credentials.
        linked_registered: how many linked accounts were registered with Octo by this run.
    """

    record: AccountRecord
    answers: dict[AreaName, OctoAnswer] = field(default_factory=dict)
    linked_registered: int = 0
