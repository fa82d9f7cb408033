"""What the checks of the StackSet share: its settings, linked accounts' status, the remedies."""

from __future__ import annotations

from orchestrator.aws import cloudformation
from orchestrator.model.coverage import State
from orchestrator.model.observed import Observed
from orchestrator.model.octo_records import AreaStatus
from orchestrator.verify.model import Context, Finding, Report, failed
from orchestrator.verify.remedy import Restore

RESTORE = Restore("it restores the StackSet to what the module defines")
_STATUSES: dict[State, AreaStatus] = {
    State.CURRENT: "pass",
    State.RUNNING: "pending",
    State.FAILED: "fail",
    State.MISSING: "fail",
}


def read_settings(context: Context) -> Observed:
    """Read the StackSet without its instances (CloudFormation DescribeStackSet)."""
    name = context.desired.stackset.name
    return Observed(stack_set=cloudformation.describe_stack_set(context.aws, name))


def linked_statuses(report: Report) -> dict[str, tuple[str, AreaStatus]]:
    """Return each linked account's name and API access status, of those that should have it."""
    return {
        account.account_id: (account.name, _STATUSES[account.state])
        for result in report.results
        if result.finding.coverage
        for account in result.finding.coverage.accounts
        if account.state in _STATUSES
    }


def missing(name: str) -> Finding:
    """Return the finding for a StackSet that does not exist."""
    return failed(
        f"The StackSet {name} does not exist.", Restore("it creates the StackSet"), stackset=name
    )
