"""A StackSet, its stack instances, and its operations with their targets.

Source: CloudFormation API Reference, StackSetOperationPreferences, StackInstance.
"""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

SERVICE_MANAGED: Final = "SERVICE_MANAGED"
SELF_MANAGED: Final = "SELF_MANAGED"
ADMINISTRATION_ROLE: Final = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION_ROLE: Final = "AWSCloudFormationStackSetExecutionRole"


@dataclass
class Instance:
    """A stack instance: a reference to a stack in one account and region.

    ``ou`` is empty in a self-managed stack set; ``overrides`` are parameters of its own.
    """

    account_id: str
    region: str
    ou: str
    status: str = "OUTDATED"
    detailed_status: str = "PENDING"
    reason: str = ""
    stack_id: str | None = None
    last_operation: str = ""
    overrides: list[dict[str, Any]] = field(default_factory=list)
    drift: str = "NOT_CHECKED"


@dataclass
class Target:
    """One account and region of an operation, with its result."""

    account_id: str
    region: str
    ou: str
    status: str = "PENDING"
    reason: str = ""


@dataclass
class Operation:
    """A create, update or delete operation on many accounts."""

    id: str
    action: str
    targets: list[Target]
    preferences: dict[str, Any] = field(default_factory=dict)
    deployment_targets: dict[str, Any] = field(default_factory=dict)
    retain: bool = False
    status: str = "QUEUED"
    created: float = field(default_factory=time.time)
    ended: float | None = None
    clock: float = 0.0  # the time up to which it has been simulated

    @property
    def failed(self) -> int:
        """The number of targets that failed."""
        return sum(target.status == "FAILED" for target in self.targets)

    @property
    def tolerance(self) -> int:
        """The number of targets that may fail."""
        return self._number("FailureToleranceCount", "FailureTolerancePercentage", 0)

    @property
    def concurrency(self) -> int:
        """The number of targets that run at a time."""
        most = max(1, self._number("MaxConcurrentCount", "MaxConcurrentPercentage", 1))
        if self.preferences.get("ConcurrencyMode") == "SOFT_FAILURE_TOLERANCE":
            return most
        return max(1, min(most, self.tolerance - self.failed + 1))

    def _number(self, count: str, percentage: str, otherwise: int) -> int:
        if count in self.preferences:
            return int(self.preferences[count])
        if percentage in self.preferences:
            return math.floor(len(self.targets) * int(self.preferences[percentage]) / 100)
        return otherwise


@dataclass
class StackSet:
    """A stack set of an account; the management account, if it is service-managed."""

    owner: str
    name: str
    region: str
    settings: dict[str, Any]  # the parameters of CreateStackSet and UpdateStackSet
    id: str = ""
    token: str = ""
    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    ous: dict[str, set[str]] = field(default_factory=dict)  # auto-deployment: OU → regions
    parents: dict[str, str] = field(default_factory=dict)  # each account's parent when last read
    drift_checked: float | None = None

    def __post_init__(self) -> None:
        self.id = self.id or f"{self.name}:{uuid.uuid4()}"

    @property
    def model(self) -> str:
        """The permission model: ``SERVICE_MANAGED`` or ``SELF_MANAGED``."""
        return str(self.settings["PermissionModel"])

    @property
    def drift(self) -> str:
        """Whether any instance has drifted when it was last checked."""
        found = {instance.drift for instance in self.instances.values()}
        if self.drift_checked is None:
            return "NOT_CHECKED"
        return "DRIFTED" if "DRIFTED" in found else "IN_SYNC"

    def parameters_of(self, instance: Instance) -> dict[str, str]:
        """Get the parameters' values in an instance by name."""
        return {
            entry["ParameterKey"]: entry.get("ParameterValue", "")
            for entry in [*self.settings.get("Parameters", []), *instance.overrides]
        }

    @property
    def running(self) -> Operation | None:
        """The running operation, or the next in the queue."""
        unfinished = (o for o in self.operations if o.ended is None)
        return next(unfinished, None)
