"""Tables: every check, then the status of each area, then the conclusion."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from orchestrator.report.conclusion import conclusion, not_of_this_type, unapplied
from orchestrator.report.tables import printed, table_of
from orchestrator.verify.model import Report, Status

_LOOKS = {
    Status.PASS: ("✓ pass", "green"),
    Status.FAIL: ("✗ fail", "red"),
    Status.WARN: ("! warn", "yellow"),
    Status.PENDING: ("… pending", "yellow"),
    Status.SKIPPED: ("- skipped", "dim"),
}
_SAYS = {
    "confirmed": ("✓ confirmed", "green"),
    "refused": ("✗ refused", "red"),
    "pending": ("… pending", "yellow"),
    "waiting": ("… waiting", "yellow"),
    "unreachable": ("? not reached", "yellow"),
}


def render(report: Report, *, color: bool = False) -> str:
    """Render a verification as tables, as wide as the terminal."""
    name = f" {report.account_name}" if report.account_name else ""
    return printed(
        [
            f"[bold]{escape(f'Account {report.account_id}{name}')}[/] ({report.account_type})",
            _checks(report),
            _areas(report),
            *_octo(report),
            *([f"[red]{escape(unapplied(report))}[/]"] if report.unapplied else []),
            escape(conclusion(report)),
        ],
        color=color,
    )


def _checks(report: Report) -> Table:
    table = table_of("status", "check", "finding", wraps=("finding",))
    for result in report.results:
        words, style = _LOOKS[result.finding.status]
        text = escape(result.finding.summary)
        if result.finding.hint and result.finding.status is not Status.PASS:
            text += f"\n[italic]→ {escape(result.finding.hint)}[/]"
        table.add_row(f"[{style}]{words}[/]", result.id, text)
    return table


def _areas(report: Report) -> Table:
    table = table_of("area", "status")
    for section in report.sections:
        words, style = _LOOKS[section.status]
        why = not_of_this_type(report, section.id)
        note = f" ({why})" if section.status is Status.SKIPPED and why else ""
        table.add_row(section.label, f"[{style}]{words}[/]{note}")
    return table


def _octo(report: Report) -> list[Table]:
    """Octo's own answers, area by area; the conclusion says what is true of the account."""
    asked = {area: answer for area, answer in report.octo.items() if answer.state in _SAYS}
    if not asked:
        return []
    table = table_of("Octo", "says", "why", wraps=("why",))
    for area, answer in asked.items():
        words, style = _SAYS[answer.state]
        why = escape(answer.reason)
        if answer.hint:
            why += f"\n[italic]→ {escape(answer.hint)}[/]"
        table.add_row(area.label, f"[{style}]{words}[/]", why)
    return [table]
