"""JSON with a versioned schema: keys are only ever added within a version."""

from __future__ import annotations

import json

from orchestrator.model.coverage import State
from orchestrator.verify.model import Finding, Report

SCHEMA = "octo-tf/report/v1"


def render(report: Report, *, color: bool = False) -> str:
    """Render a verification as JSON; ``color`` has no effect."""
    del color
    return json.dumps(
        {
            "schema": SCHEMA,
            "account": {
                "id": report.account_id,
                "name": report.account_name,
                "type": report.account_type,
            },
            "status": report.status.value,
            "can_finish": report.can_finish,
            "warnings": report.warnings,
            "unapplied": list(report.unapplied),
            "areas": {area.value: status.value for area, status in report.areas.items()},
            "features": {name: status.value for name, status in report.features.items()},
            "octo": {
                area.value: {"state": answer.state, "reason": answer.reason, "hint": answer.hint}
                for area, answer in report.octo.items()
            },
            "registration": _registration(report),
            "checks": [
                {
                    "id": result.id,
                    "area": result.area,
                    "promise": result.promise,
                    "status": result.finding.status.value,
                    "summary": result.finding.summary,
                    "evidence": _evidence(result.finding),
                    "hint": result.finding.hint,
                    "seconds": result.seconds,
                }
                for result in report.results
            ],
        },
        indent=2,
        default=str,
    )


def _evidence(finding: Finding) -> dict[str, object]:
    """Add the states of the linked accounts, where a check looks at them."""
    coverage = finding.coverage
    if coverage is None:
        return finding.evidence
    return {
        "counts": coverage.counts,
        "current": {s.account_id: s.name for s in coverage.of(State.CURRENT)},
        "others": {
            s.account_id: {"name": s.name, "state": s.state.value, "reason": s.reason}
            for s in coverage.accounts
            if s.state is not State.CURRENT
        },
    }


def _registration(report: Report) -> dict[str, str | None] | None:
    """The account's registration with Octo, as far as it was noted; null before that."""
    record = report.record
    if record is None:
        return None
    return {
        "registered_at": record.registered_at,
        "finished_at": record.finished_at,
        "left_at": record.left_at,
    }
