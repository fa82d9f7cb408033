"""What the checks of the StackSet share."""

from __future__ import annotations

from typing import Any

from orchestrator.aws import organizations, stacksets
from orchestrator.model.coverage import Coverage, cover
from orchestrator.model.module_outputs import StackSetOutput
from orchestrator.model.octo_records import AreaStatus
from orchestrator.verify.model import Context, Finding, Report, Status

COVERAGE = "stackset.coverage"
APPLY = "Run octo-tf apply: it brings the StackSet back to what the module says."


def applies(context: Context) -> bool:
    """Whether linked accounts are reached by a StackSet."""
    return context.expected.stackset is not None


def expected(context: Context) -> StackSetOutput:
    """The StackSet as the module made it."""
    if context.expected.stackset is None:
        raise LookupError("the registration has no StackSet")  # `applies` says so
    return context.expected.stackset


def coverage(context: Context) -> Coverage:
    """Every linked account's standing."""
    wanted = expected(context)
    return cover(
        organizations.read(context.aws),
        stacksets.read(context.aws, wanted.name),
        targets=wanted.targets,
        excluded=wanted.excluded_accounts,
    )


def linked_standings(report: Report) -> dict[str, tuple[str, AreaStatus]]:
    """Each linked account's name and the status of its API access, as the coverage check saw it."""
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
    """The finding for a stack set that is not there."""
    return Finding(
        Status.FAIL,
        f"The StackSet {name} does not exist.",
        {"stackset": name},
        "Run octo-tf apply: it makes the StackSet.",
    )
