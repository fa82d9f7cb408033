"""One line for each check, then each statement that denies something, with its exemption."""

from __future__ import annotations

import json

from orchestrator.model.guardrail import Obstacle, Phase
from orchestrator.model.words import counted
from orchestrator.stackset.examination import Examination
from orchestrator.stackset.guardrails import cause

_SIGNS = {"ok": "✓", "skipped": "-", "warning": "!", "problem": "✗"}
_DENIED = {
    Phase.DEPLOYMENT: "the StackSet's deployment",
    Phase.ACCESS: "Octo's access to its role",
    Phase.CALLS: "a part of what Octo reads",
    Phase.CHANGES: "a later change or removal of the role",
}


def render(examination: Examination, *, color: bool = False) -> str:
    """Render a preflight for people."""
    del color
    account = examination.account
    lines = [f"Account {account.account_id} ({account.account_type})"]
    for finding in examination.findings:
        if finding.id == "policies" and finding.status in ("warning", "problem"):
            continue  # shown below, in full
        lines.append(f"{_SIGNS[finding.status]} {finding.id:16}{finding.summary}")
        if finding.fix:
            lines.append(f"{'':18}→ {finding.fix}")
    obstacles = examination.guardrails.obstacles
    for number, obstacle in enumerate(obstacles, start=1):
        lines += ["", *_lines(number, obstacle)]
    if obstacles:
        found = examination.guardrails
        lines += [
            "",
            f"{len(found.cut_off)} of {found.accounts} linked accounts"
            f" {'is' if len(found.cut_off) == 1 else 'are'} cut off.",
        ]
    return "\n".join(lines)


def denial(obstacle: Obstacle) -> str:
    """Say what is denied, and in how many accounts."""
    certainty = "is denied" if obstacle.certain else "may be denied"
    where = counted(len(obstacle.accounts), "account")
    return f"{_DENIED[obstacle.phase]} {certainty} in {where}"


def _lines(number: int, obstacle: Obstacle) -> list[str]:
    sign = "✗" if obstacle.cuts_off else "!"
    lines = [
        f"{sign} {number}. {denial(obstacle)}: {', '.join(obstacle.accounts)}",
        f"     by {cause(obstacle)}, attached to {', '.join(obstacle.places)}",
        f"     denied: {', '.join(obstacle.actions)}",
    ]
    if not obstacle.certain:
        lines.append(f"     depends on: {', '.join(obstacle.keys)}")
    replaced = "replace the statement with" if obstacle.number else "add to one of these policies"
    lines.append(f"     exemption ({replaced}):")
    lines += [f"       {line}" for line in json.dumps(obstacle.exemption, indent=2).splitlines()]
    lines += [f"     or {alternative}" for alternative in obstacle.alternatives]
    return lines
