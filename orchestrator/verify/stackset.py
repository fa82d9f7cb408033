"""What the checks of the StackSet share: the coverage of linked accounts, and the remedies."""

from __future__ import annotations

from orchestrator.aws import cloudformation, organizations
from orchestrator.model.coverage import Coverage, State, cover
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


def coverage(context: Context) -> Coverage:
    """Compute whether each linked account has the role, and why not."""
    wanted = context.stackset
    return cover(
        organizations.read(context.aws),
        cloudformation.read_stack_set(context.aws, wanted.name),
        targets=wanted.targets,
        excluded=wanted.excluded_accounts,
    )


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
