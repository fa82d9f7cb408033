"""What brings single linked accounts in line, beside what Terraform does for whole targets."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import astuple, dataclass
from typing import Any

from orchestrator.aws import stacksets as aws_side
from orchestrator.aws.session import Aws
from orchestrator.errors import AwsError
from orchestrator.model.coverage import State
from orchestrator.model.linked_accounts import LinkedAccounts
from orchestrator.model.organization import Organization
from orchestrator.model.stackset import Deployed

# At a handful of accounts the module's tolerance would be none: each stands for itself here.
_PREFERENCES = {
    "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
    "MaxConcurrentPercentage": 100,
    "FailureTolerancePercentage": 100,
    "RegionConcurrencyType": "PARALLEL",
}
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds between two looks; the last one repeats

# Called with the operation's action (CREATE, UPDATE, DELETE) and each account's status and reason.
OnProgress = Callable[[str, dict[str, tuple[str, str]]], None]


@dataclass(frozen=True)
class Work:
    """Accounts by what is to be done for them.

    Attributes:
        deploy: have no instance, though their target is deployed (excluded until now, closed and
            opened again, missed by an interrupted run).
        retry: their instance failed.
        remove: have an instance, and should not.
        anew: their stack is deleted and made again: CloudFormation changes nothing in a stack
            whose template has not changed, so what was changed by hand in the account would stay.
    """

    deploy: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.accounts)

    @property
    def accounts(self) -> set[str]:
        """Every account that something is to be done for."""
        return {account for part in astuple(self) for account in part}

    def only(self, accounts: Collection[str]) -> Work:
        """The part of it that is about some accounts."""
        wanted = set(accounts)
        return Work(
            *(tuple(account for account in part if account in wanted) for part in astuple(self))
        )


def pending(linked: LinkedAccounts) -> Work:
    """Decide what is left to be done for single accounts; nothing before there is a StackSet."""
    organization, deployed = linked.organization, linked.deployed
    if deployed is None:
        return Work()
    coverage, targets = linked.coverage, linked.targets
    homes = {member.account_id: member.ou for member in organization.members}

    def under(account_id: str, ous: Collection[str]) -> bool:
        return account_id in homes and organization.is_under(homes[account_id], ous)

    # A target that octo.yaml no longer names is Terraform's to take away, one that is new to make;
    # but not where the two share accounts: there it goes account by account.
    leaving = {t for t in deployed.targets if not organization.overlap(t, targets)}
    return Work(
        deploy=tuple(
            s.account_id
            for s in coverage.of(State.MISSING)
            if under(s.account_id, deployed.targets)
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
    work: Work,
    organization: Organization,
    deployed: Deployed,
    *,
    retain: bool,
    on_progress: OnProgress,
) -> None:
    """Does the work, each kind in one operation, and waits for it.

    A failure in an account is no error here: verification tells it with its reason.

    Raises:
        botocore.exceptions.ClientError: AWS refused an operation.
        AwsError: an operation was stopped by somebody else.
    """
    homes = {member.account_id: member.ou for member in organization.members}
    listed = {i.account_id: i.ou for i in deployed.instances.values()}
    inactive = {member.account_id for member in organization.members if not member.active}
    removed = [a for a in work.remove if a not in inactive]
    left = [a for a in work.remove if a in inactive]  # nothing can be deleted in there
    with_stack = {a for a in work.retry if deployed.instances[a].has_stack}
    client = aws.client("cloudformation")
    steps: list[tuple[Callable[..., dict[str, Any]], list[str], dict[str, str], dict[str, Any]]] = [
        (client.delete_stack_instances, removed, listed, {"RetainStacks": retain}),
        (client.delete_stack_instances, left, listed, {"RetainStacks": True}),
        (client.delete_stack_instances, list(work.anew), listed, {"RetainStacks": False}),
        (
            client.create_stack_instances,
            [*work.deploy, *work.anew, *(a for a in work.retry if a not in with_stack)],
            homes,
            {},
        ),
        (client.update_stack_instances, sorted(with_stack), listed, {}),
    ]
    for operate, accounts, ous, more in steps:
        if not accounts:
            continue
        begun = operate(
            StackSetName=name,
            Regions=[aws.region],
            DeploymentTargets={
                "OrganizationalUnitIds": sorted({ous[account] for account in accounts}),
                "Accounts": accounts,
                "AccountFilterType": "INTERSECTION",
            },
            OperationPreferences=_PREFERENCES,
            **more,
        )
        wait(aws, name, begun["OperationId"], on_progress)


def wait(
    aws: Aws,
    name: str,
    operation_id: str,
    on_progress: OnProgress,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Waits for the end of an operation; an interrupt leaves it to AWS, which goes on.

    Raises:
        AwsError: it was stopped by somebody else.
    """
    client, looks = aws.client("cloudformation"), 0
    while True:
        operation = client.describe_stack_set_operation(
            StackSetName=name, OperationId=operation_id
        )["StackSetOperation"]
        on_progress(operation["Action"], aws_side.results(aws, name, operation_id))
        if operation["Status"] == "STOPPED":
            raise AwsError(
                f"operation {operation_id} was stopped by somebody",
                where=f"StackSet {name}",
                hint="Run octo-tf apply again: it goes on with the accounts that are left.",
            )
        if operation["Status"] in ("SUCCEEDED", "FAILED"):
            return
        sleep(_PAUSES[min(looks, len(_PAUSES) - 1)])
        looks += 1
