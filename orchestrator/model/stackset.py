"""A StackSet as CloudFormation describes it: settings, stack instances, operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_RUNNING = {"RUNNING", "QUEUED", "STOPPING"}


@dataclass(frozen=True)
class StackInstance:
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
        """Whether its stack has the StackSet's template and parameters."""
        return self.status == "CURRENT" and self.detailed in ("SUCCEEDED", "")

    @property
    def is_running(self) -> bool:
        """Whether an operation on it has yet to end."""
        return self.detailed in ("PENDING", "RUNNING")


@dataclass(frozen=True)
class StackSetOperation:
    """A StackSet operation (StackSetOperationSummary); ``failed`` counts its failed instances."""

    id: str
    action: str
    status: str
    failed: int
    reason: str

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status in _RUNNING


@dataclass(frozen=True)
class StackSet:
    """A StackSet's settings (CloudFormation API, StackSet).

    Attributes:
        name: the StackSet's name.
        stack_set_id: CloudFormation's own id of it, never given twice.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        template: the template's text.
        parameters: each parameter's value; they hold the external id. ``NoEcho`` ones are ``****``.
        targets: the OUs that it was deployed to, as AWS remembers them.
        capabilities: like ``CAPABILITY_NAMED_IAM``.
        service_managed: whether CloudFormation's own roles deploy it.
        managed_execution: whether its operations wait for each other.
        auto_deployment: whether accounts that join a target are deployed to.
        retain_on_removal: whether accounts that leave the targets keep their stack's resources.
    """

    name: str
    stack_set_id: str = ""
    partition: str = "aws"
    template: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    targets: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    service_managed: bool = True
    managed_execution: bool = True
    auto_deployment: bool = True
    retain_on_removal: bool = False


@dataclass(frozen=True)
class DeployedStackSet:
    """A StackSet with its stack instances by account id.

    octo-tf deploys to one region; of a StackSet that somebody else deployed to several regions,
    each account's last instance counts, and ``regions`` names all of them.
    """

    settings: StackSet
    instances: Mapping[str, StackInstance]
    regions: tuple[str, ...] = ()
