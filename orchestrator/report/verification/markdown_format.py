"""A page for a pull request or a job summary: areas first, then what needs attention."""

from __future__ import annotations

from orchestrator.model.words import counted
from orchestrator.report.conclusion import conclusion, unapplied
from orchestrator.report.markdown import code, heading, plain, table
from orchestrator.verify.model import Report, Status

_WORDS = {
    Status.PASS: "✅ pass",
    Status.FAIL: "❌ fail",
    Status.WARN: "⚠️ warn",
    Status.PENDING: "⏳ pending",
    Status.SKIPPED: "⏭️ skipped",
}

_SAYS = {
    "confirmed": "✅ confirmed",
    "refused": "❌ refused",
    "pending": "⏳ pending",
    "waiting": "⏳ waiting",
    "unreachable": "⏳ not reached",
    "not_registered": "⏸️ not registered",
    "left": "⏭️ left",
    "by_hand": "✋ to be confirmed by hand",
}


def render(report: Report, *, color: bool = False) -> str:
    """Render a verification as GitHub-flavoured Markdown."""
    del color
    attention = [r for r in report.results if r.finding.status is not Status.PASS]
    parts = [
        *heading("verify", report.account_id, report.account_name, report.account_type),
        table(
            ("area", "status"),
            [(section.label, _WORDS[section.status]) for section in report.sections],
        ),
    ]
    if attention:
        parts.append(
            table(
                ("check", "status", "finding", "what to do"),
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
    if report.octo:
        parts.append(
            table(
                ("Octo", "says", "why", "what to do"),
                [
                    (
                        area.label,
                        _SAYS[answer.state],
                        plain(answer.reason),
                        plain(answer.hint),
                    )
                    for area, answer in report.octo.items()
                ],
            )
        )
    passed = len(report.results) - len(attention)
    checks = counted(len(report.results), "check")
    verb = "passes" if passed == 1 else "pass"
    parts.append(f"{passed} of {checks} {verb}.")
    if report.unapplied:
        parts.append(plain(unapplied(report)))
    parts.append(plain(conclusion(report)))
    return "\n\n".join(parts)
