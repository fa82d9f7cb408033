"""A StackSet as CloudFormation has it: settings, stack instances, operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_UNFINISHED = {"RUNNING", "QUEUED", "STOPPING"}


@dataclass(frozen=True)
class Instance:
    """A stack instance (CloudFormation API, StackInstanceSummary).

    ``detailed`` is its DetailedStatus: PENDING, RUNNING, SUCCEEDED, FAILED, ...
    """

    account_id: str
    ou: str
    status: str
    detailed: str
    reason: str
    operation_id: str
    has_stack: bool
    region: str

    @property
    def is_current(self) -> bool:
        """Whether its stack is as the set says."""
        return self.status == "CURRENT" and self.detailed in ("SUCCEEDED", "")

    @property
    def is_running(self) -> bool:
        """Whether an operation has yet to end for it."""
        return self.detailed in ("PENDING", "RUNNING")


@dataclass(frozen=True)
class Operation:
    """A StackSet operation (StackSetOperationSummary); ``failed`` counts its failed instances."""

    id: str
    action: str
    status: str
    failed: int
    reason: str

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status in _UNFINISHED


@dataclass(frozen=True)
class Deployed:
    """A stack set with its instances by account, and the regions that these are in.

    octo-tf deploys to one region; where somebody else's set has more, an account's last counts.
    """

    settings: dict[str, Any] = field(repr=False)  # its parameters hold the external id
    instances: dict[str, Instance]
    regions: tuple[str, ...] = ()

    @property
    def targets(self) -> list[str]:
        """The OUs that it was deployed to, as AWS remembers them."""
        return list(self.settings.get("OrganizationalUnitIds", []))
