"""Deploy to single linked accounts what Terraform, which deploys to whole targets, leaves out."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import astuple, dataclass

from orchestrator.aws import cloudformation
from orchestrator.aws.session import Aws
from orchestrator.errors import AwsError
from orchestrator.model.coverage import State
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.organization import Organization
from orchestrator.model.stackset import StackSet

_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between two reads; the last one repeats

# Called with the operation's action (CREATE, UPDATE, DELETE) and each account's status and reason.
OnProgress = Callable[[str, dict[str, tuple[str, str]]], None]
_WAITING = ("PENDING", "")  # an account that AWS has not listed among the results yet


@dataclass(frozen=True)
class PendingDeployments:
    """Account ids by the operation that is pending for them.

    Attributes:
        deploy: accounts without a stack instance whose target is deployed (excluded until now,
            closed and opened again, missed by an interrupted run).
        retry: accounts whose stack instance failed.
        remove: accounts whose stack instance is to be deleted.
        recreate: accounts whose stack is deleted and created again: CloudFormation changes nothing
            in a stack whose template is unchanged, so changes by hand in the account would stay.
    """

    deploy: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    recreate: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.accounts)

    @property
    def accounts(self) -> set[str]:
        """Return every account with a pending operation."""
        return {account for part in astuple(self) for account in part}

    def only(self, accounts: Collection[str]) -> PendingDeployments:
        """Return the pending operations of these accounts alone."""
        wanted = set(accounts)
        return PendingDeployments(
            *(tuple(account for account in part if account in wanted) for part in astuple(self))
        )


def pending(linked: LinkedAccounts) -> PendingDeployments:
    """Compute which operations single linked accounts need; none without a StackSet."""
    organization, deployed = linked.organization, linked.deployed
    if deployed is None:
        return PendingDeployments()
    coverage, targets = linked.coverage, linked.targets
    homes = {member.account_id: member.ou for member in organization.members}

    def under(account_id: str, ous: Collection[str]) -> bool:
        return account_id in homes and organization.is_under(homes[account_id], ous)

    # Terraform removes a target that octo.yaml no longer names, and adds a new one. Where the two
    # share accounts, the accounts are removed and added one by one.
    current = deployed.targets
    leaving = {t for t in current if not organization.overlap(t, targets)}
    return PendingDeployments(
        deploy=tuple(
            s.account_id for s in coverage.of(State.MISSING) if under(s.account_id, current)
        ),
        retry=tuple(s.account_id for s in coverage.of(State.FAILED)),
        remove=tuple(
            s.account_id
            for s in coverage.of(State.EXCESS)
            if under(s.account_id, targets) or not under(s.account_id, leaving)
        ),
    )


def carry_out(
    aws: Aws,
    name: str,
    work: PendingDeployments,
    organization: Organization,
    deployed: StackSet,
    *,
    retain: bool,
    on_progress: OnProgress,
) -> None:
    """Run the pending operations, one for all accounts of a kind, and wait for each.

    Failures in accounts are not raised; verification reports them with their reasons.

    Args:
        aws: calls as the payer.
        retain: whether accounts that are removed keep their stacks.
        on_progress: called with each account's status whenever it is read.

    Raises:
        AwsError: somebody stopped an operation.
    """
    # Deploy to each account through the target that contains it, as Terraform does. An instance
    # reports the OU of its deployment, and can be updated and deleted through that OU only.
    targets = deployed.targets
    target_of = {
        ou: next((target for target in targets if organization.is_under(ou, [target])), ou)
        for ou in {member.ou for member in organization.members}
    }
    homes = {member.account_id: target_of[member.ou] for member in organization.members}
    listed = {i.account_id: i.ou for i in deployed.instances.values()}
    inactive = {member.account_id for member in organization.members if not member.active}
    removed = [a for a in work.remove if a not in inactive]
    left = [a for a in work.remove if a in inactive]  # their stacks cannot be deleted
    with_stack = {a for a in work.retry if deployed.instances[a].has_stack}
    created = [*work.deploy, *work.recreate, *(a for a in work.retry if a not in with_stack)]
    steps: tuple[tuple[cloudformation.Operation, list[str], dict[str, str], bool], ...] = (
        ("delete", removed, listed, retain),
        ("delete", left, listed, True),
        ("delete", [*work.recreate], listed, False),
        ("create", created, homes, False),
        ("update", sorted(with_stack), listed, False),
    )
    for operation, accounts, ous, keep in steps:
        if accounts:
            homes_of = [ous[account] for account in accounts]
            started = cloudformation.operate(aws, name, operation, accounts, homes_of, retain=keep)
            wait(aws, name, started, on_progress, accounts=accounts)


def reached_by_terraform(linked: LinkedAccounts) -> dict[str, list[str]]:
    """List the accounts that an operation on whole targets reaches, by the operation's action."""
    instances = linked.deployed.instances if linked.deployed else {}
    return {
        "CREATE": [s.account_id for s in linked.coverage.of(State.MISSING)],
        "UPDATE": [*instances],
    }


def with_waiting(
    results: Mapping[str, tuple[str, str]], accounts: Collection[str]
) -> dict[str, tuple[str, str]]:
    """Add the accounts that an operation has not come to: AWS lists them one by one."""
    return {**dict.fromkeys(accounts, _WAITING), **results}


def wait(
    aws: Aws,
    name: str,
    operation_id: str,
    on_progress: OnProgress,
    *,
    accounts: Collection[str] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait for the end of an operation; AWS continues the operation after an interrupt.

    Args:
        aws: calls as the payer.
        on_progress: called with each account's status whenever it is read.
        accounts: those that the operation reaches, as far as they are known.

    Raises:
        AwsError: somebody stopped the operation.
    """
    reads = 0
    while True:
        operation = cloudformation.describe_operation(aws, name, operation_id)
        results = cloudformation.operation_results(aws, name, operation_id)
        on_progress(operation.action, with_waiting(results, accounts))
        if operation.status == "STOPPED":
            raise AwsError(
                f"operation {operation_id} was stopped by somebody",
                where=f"StackSet {name}",
                hint="Run octo-tf apply again: it continues with the remaining accounts.",
            )
        if operation.status in ("SUCCEEDED", "FAILED"):
            return
        if not operation.is_running:
            raise AwsError(
                f"operation {operation_id} has the status {operation.status}, which octo-tf does"
                " not know",
                where=f"StackSet {name}",
                hint="Look at the operation in the CloudFormation console, then run octo-tf apply"
                " again: it continues with the remaining accounts.",
            )
        sleep(_PAUSES[min(reads, len(_PAUSES) - 1)])
        reads += 1
