"""Render the state of each linked account as a table."""

from __future__ import annotations

from rich.text import Text

from orchestrator.model.coverage import Coverage, State
from orchestrator.model.words import counted
from orchestrator.report.tables import printed, table_of

STYLES = {
    State.CURRENT: "green",
    State.RUNNING: "yellow",
    State.FAILED: "red",
    State.MISSING: "red",
    State.EXCESS: "red",
}


def as_table(coverage: Coverage, *, everyone: bool = True, color: bool = False) -> str:
    """Render the accounts, and the number of accounts in each state.

    Args:
        everyone: whether accounts that have the role are shown too.
    """
    table = table_of("account", "name", "state", "why", wraps=("why",))
    for standing in coverage.accounts:
        if everyone or standing.state is not State.CURRENT:
            style = STYLES.get(standing.state, "dim")
            table.add_row(
                # Of ten thousand rows, markup would take a third of the time.
                Text(standing.account_id),
                Text(standing.name),
                Text(standing.state.value, style),
                Text(standing.reason),
            )
    counts = ", ".join(f"{count} {state}" for state, count in coverage.counts.items())
    current = len(coverage.of(State.CURRENT))
    accounts = counted(coverage.wanted, "linked account")
    summary = f"Octo reaches {current} of {accounts} ({counts or 'none'})."
    return printed([table, summary] if table.row_count else [summary], color=color)
