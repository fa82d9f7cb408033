"""A StackSet as CloudFormation describes it: settings, stack instances, operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.model.observed import Role

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
class TemplateContent:
    """What a StackSet's template creates in each account.

    Attributes:
        logical_id: of Octo's role in the template; empty if the template creates none.
        role: Octo's role; its id, and the account in its ARN, differ by account.
        others: the resources besides the role and policies, as ``logical id (type)``.
        role_path: the role's path, if the template states one; CloudFormation replaces a role
            whose template no longer does, even if it was the default one.
    """

    logical_id: str
    role: Role | None
    others: tuple[str, ...] = ()
    role_path: str | None = None


@dataclass(frozen=True)
class StackSet:
    """A StackSet of the payer (CloudFormation API, StackSet), with its stack instances.

    octo-tf deploys to one region. If a StackSet has instances in several, ``instances`` has the
    last one of each account, and ``regions`` lists all regions.

    Attributes:
        stack_set_id: CloudFormation's own id of it, never given twice.
        partition: one of ``partition.PARTITIONS``, like ``aws-cn``.
        parameters: each parameter's value; they hold the external id. ``NoEcho`` ones are ``****``.
        targets: the OUs that it was deployed to, as AWS remembers them.
        capabilities: like ``CAPABILITY_NAMED_IAM``.
        service_managed: whether CloudFormation's own roles deploy it.
        managed_execution: whether its operations wait for each other.
        auto_deployment: whether accounts that join a target are deployed to.
        retain_on_removal: whether accounts that leave the targets keep their stack's resources.
        instances: its stack instances by account id; empty if they were not read.
        regions: where its stack instances are.
        content: what its template creates; None if it cannot be read, or was not.
    """

    name: str
    stack_set_id: str = ""
    partition: str = "aws"
    region: str = "us-east-1"
    template: str = field(default="", repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    targets: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    service_managed: bool = True
    managed_execution: bool = True
    auto_deployment: bool = True
    retain_on_removal: bool = False
    instances: Mapping[str, StackInstance] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    content: TemplateContent | None = None

    @property
    def current(self) -> list[str]:
        """List the accounts whose stack instance is current."""
        return sorted(a for a, instance in self.instances.items() if instance.is_current)

    @property
    def deployed_content(self) -> TemplateContent | None:
        """What its template created in accounts; None if it has no stack instance."""
        return self.content if self.instances else None
