"""The last sentence of a verification: what is true of the registration, and what to do."""

from __future__ import annotations

from orchestrator.model.words import counted
from orchestrator.verify.model import Area, Report, Status

_NOT_OF_THIS_TYPE = {
    (Area.CUR_S3, "linked"): "the payer has it",
    ("container_cost", "linked"): "in the payer's report",
    (Area.STACKSET, "linked"): "payer accounts only",
    (Area.STACKSET, "standalone"): "payer accounts only",
    (Area.STACKSET, "payer"): "not enabled",
}


def conclusion(report: Report) -> str:
    """Summarize a report in a sentence or two; *Confirm and Finish* needs API access alone."""
    answer = report.octo.get(Area.API_ACCESS)
    if report.record is not None and report.record.left_at is not None:
        hint = f" {answer.hint}" if answer is not None else ""
        return f"The account left Octo on {report.record.left_at[:10]}.{hint}"
    if report.areas[Area.API_ACCESS] is not Status.PASS:
        return "Not finished: API access must pass first."
    if answer is not None and answer.state == "not_registered":
        return f"Not registered with Octo. {answer.hint}"
    if not report.can_finish:
        return "Not finished: Octo must confirm API access first."
    remaining = _remaining(report)
    if answer is not None and answer.state == "confirmed":
        return f"Registered and confirmed by Octo{remaining}."
    by_hand = _by_hand(report)
    steps = f" To be done in Octo by hand: {'; '.join(by_hand)}." if by_hand else ""
    return f"API access passes{remaining}.{steps}"


def _remaining(report: Report) -> str:
    rest = [
        f"{section.label} is {'pending' if section.status is Status.PENDING else 'failing'}"
        for section in report.sections
        if section.status in (Status.PENDING, Status.FAIL)
    ]
    rest += [
        f"Octo has not confirmed {area.label}"
        for area, said in report.octo.items()
        if said.state not in ("confirmed", "by_hand")
    ]
    if report.warnings:
        rest.append(counted(report.warnings, "warning"))
    return f" ({'; '.join(rest)})" if rest else ""


def _by_hand(report: Report) -> list[str]:
    """List what is to be done in Octo, where there are no credentials for it."""
    areas = [area.label for area, said in report.octo.items() if said.state == "by_hand"]
    if report.record is not None and areas:
        return report.record.steps_by_hand()
    confirm = [f"Check and Confirm for {label}" for label in areas]
    return [*confirm, "Confirm and Finish"] if confirm else []


def not_of_this_type(report: Report, area: str) -> str:
    """Say why an account of this type lacks an area or feature; empty if it may have it."""
    return _NOT_OF_THIS_TYPE.get((area, report.account_type), "")


def unapplied(report: Report) -> str:
    """Say which settings of octo.yaml are not what was applied last; empty if none."""
    if not report.unapplied:
        return ""
    return (
        f"octo.yaml differs from what was applied last ({', '.join(report.unapplied)}):"
        " run octo-tf apply."
    )
