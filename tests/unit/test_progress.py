"""What a person sees while they wait."""

from __future__ import annotations

import io

from orchestrator.app.events import LinkedAccountsProgress
from orchestrator.ui.terminal import Terminal


def shown(*events: dict[str, tuple[str, str]], verbose: bool = True) -> list[str]:
    stream = io.StringIO()
    terminal = Terminal(verbose=verbose, stream=stream)
    for results in events:
        terminal(LinkedAccountsProgress(results))
    return stream.getvalue().splitlines()


def test_a_stacksets_accounts_are_counted_when_something_changes():
    first = {"111": ("RUNNING", ""), "222": ("PENDING", "")}
    second = {"111": ("SUCCEEDED", ""), "222": ("RUNNING", "")}
    assert shown(first, first, second) == [
        "  0 of 2 accounts, 1 pending, 1 running",
        "  1 of 2 accounts, 1 running",
    ]


def test_an_account_that_fails_is_named_once_with_the_reason_that_aws_gives():
    failed = {"111": ("FAILED", "denied by a service control policy"), "222": ("RUNNING", "")}
    ended = {**failed, "222": ("SUCCEEDED", "")}
    lines = shown(failed, ended)
    assert lines[0] == "  account 111 failed: denied by a service control policy"
    assert sum("account 111" in line for line in lines) == 1


def test_a_thousand_failures_do_not_make_a_thousand_lines():
    lines = shown({str(number): ("FAILED", "throttled") for number in range(1000)})
    assert len(lines) == 11
    assert lines[-1] == "  0 of 1000 accounts, 1000 failed"


def test_nothing_is_said_where_nobody_watches():
    assert shown({"111": ("FAILED", "denied")}, verbose=False) == []
