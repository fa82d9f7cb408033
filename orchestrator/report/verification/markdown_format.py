"""A page for a pull request or a job summary: areas first, then what needs attention."""

from __future__ import annotations

from orchestrator.report.markdown import code, plain, table
from orchestrator.verify.model import Report, Status

_MARKER = "<!-- octo-tf verify {account_id} -->"
_WORDS = {
    Status.PASS: "✅ pass",
    Status.FAIL: "❌ fail",
    Status.PENDING: "⏳ pending",
    Status.SKIPPED: "⏭️ skipped",
}


def render(report: Report, *, color: bool = False) -> str:
    """The report as GitHub-flavoured Markdown."""
    del color
    name = f" {code(report.account_name)}" if report.account_name else ""
    attention = [r for r in report.results if r.finding.status is not Status.PASS]
    parts = [
        _MARKER.format(account_id=report.account_id),
        f"### octo-tf verify: {report.account_type} account {code(report.account_id)}{name}",
        table(
            ("area", "status"),
            [(area.label, _WORDS[status]) for area, status in report.areas.items()],
        ),
    ]
    if attention:
        parts.append(
            table(
                ("check", "status", "what was found", "what solves it"),
                [
                    (
                        code(result.id),
                        _WORDS[result.finding.status],
                        plain(result.finding.summary),
                        plain(result.finding.hint),
                    )
                    for result in attention
                ],
            )
        )
    passed = len(report.results) - len(attention)
    parts.append(f"{passed} of {len(report.results)} checks pass.")
    allowed = "allowed" if report.can_finish else "not yet, API access must pass first"
    parts.append(f"*Confirm and Finish*: {allowed}.")
    return "\n\n".join(parts)
