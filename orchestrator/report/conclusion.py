"""The last sentence of a verification: what is true of the registration, and what to do."""

from __future__ import annotations

from orchestrator.verify.model import Area, Report, Status


def conclusion(report: Report) -> str:
    """Conclude a report in one sentence; API access decides (*Confirm and Finish* in Octo)."""
    answer = report.octo.get(Area.API_ACCESS)
    if report.areas[Area.API_ACCESS] is not Status.PASS:
        return "Not finished: API access must pass first."
    if answer is not None and answer.state == "not_registered":
        return "Not registered with Octo: run octo-tf apply or octo-tf confirm --register."
    if not report.can_finish:
        return "Not finished: Octo must confirm API access first."
    rest = [
        f"{area.label} is {'pending' if status is Status.PENDING else 'failing'}"
        for area, status in report.areas.items()
        if status in (Status.PENDING, Status.FAIL)
    ]
    rest += [
        f"Octo has not confirmed {area.label}"
        for area, said in report.octo.items()
        if said.state not in ("confirmed", "by_hand")
    ]
    remaining = f" ({'; '.join(rest)})" if rest else ""
    if answer is not None and answer.state == "confirmed":
        return f"Registered and confirmed by Octo{remaining}."
    by_hand = ": click Confirm and Finish in Octo" if answer is not None else ""
    return f"API access passes{remaining}{by_hand}."


def unapplied(report: Report) -> str:
    """Say which settings of octo.yaml are not what was applied last; empty if none."""
    if not report.unapplied:
        return ""
    return (
        f"octo.yaml asks for something else than was applied last ({', '.join(report.unapplied)}):"
        " run octo-tf apply."
    )
