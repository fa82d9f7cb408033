"""What the checks of the StackSet share: the expected StackSet and its coverage."""

from __future__ import annotations

from typing import Any

from orchestrator.aws import cloudformation, organizations
from orchestrator.model.coverage import Coverage, cover
from orchestrator.model.module_outputs import StackSetOutput
from orchestrator.model.octo_records import AreaStatus
from orchestrator.verify.model import Context, Finding, Report, failed

COVERAGE = "stackset.coverage"
APPLY = "Run octo-tf apply: it restores the StackSet to what the module defines."


def applies(context: Context) -> bool:
    """Tell whether the registration has a StackSet."""
    return context.expected.stackset is not None


def expected(context: Context) -> StackSetOutput:
    """Return the StackSet that the module created."""
    if context.expected.stackset is None:
        raise LookupError("the registration has no StackSet")  # `applies` says so
    return context.expected.stackset


def coverage(context: Context) -> Coverage:
    """Compute whether each linked account has the role, and why not."""
    wanted = expected(context)
    return cover(
        organizations.read(context.aws),
        cloudformation.read_stack_set(context.aws, wanted.name),
        targets=wanted.targets,
        excluded=wanted.excluded_accounts,
    )


def linked_statuses(report: Report) -> dict[str, tuple[str, AreaStatus]]:
    """Return each linked account's name and API access status, from the coverage check's result."""
    evidence = next((r.finding.evidence for r in report.results if r.id == COVERAGE), {})
    current: Any = evidence.get("current", {})
    others: Any = evidence.get("others", {})
    statuses: dict[str, AreaStatus] = {"failed": "fail", "missing": "fail", "running": "pending"}
    return {
        **{account_id: (name, "pass") for account_id, name in current.items()},
        **{
            account_id: (other["name"], statuses[other["state"]])
            for account_id, other in others.items()
            if other["state"] in statuses
        },
    }


def missing(name: str) -> Finding:
    """Return the finding for a StackSet that does not exist."""
    return failed(
        f"The StackSet {name} does not exist.",
        "Run octo-tf apply: it creates the StackSet.",
        stackset=name,
    )
