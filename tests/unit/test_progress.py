"""What a person sees while they wait."""

from __future__ import annotations

import io
import re

import pytest

from orchestrator.app.events import (
    Ended,
    LinkedAccountsProgress,
    ResourceProgress,
    StepEnded,
    StepStarted,
)
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


def test_a_pipeline_gets_a_line_for_each_step_and_none_for_a_resource():
    stream = io.StringIO()
    terminal = Terminal(stream=stream)
    terminal(
        ResourceProgress(
            "module.octo.module.api_access.aws_iam_role.api_access", "create", "complete", 2.0
        )
    )
    terminal(StepEnded("apply", "Applying", 48.26, failed=False))
    assert stream.getvalue().splitlines() == ["Applying: 48.3 s"]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (0, "octo-tf apply: done after 48.3 s. Next: octo-tf status."),
        (3, "verification failed after 48.3 s. Next: fix what fails, then octo-tf verify."),
        (4, "verification pending after 48.3 s. Next: octo-tf verify --wait 24h."),
        (5, "octo-tf apply: refused after 48.3 s."),
        (64, "octo-tf apply: wrong usage after 48.3 s."),
        (130, "interrupted after 48.3 s. Next: run the same command again."),
    ],
)
def test_the_last_line_says_what_ended_after_how_long_and_what_is_next(code, line):
    stream = io.StringIO()
    Terminal(stream=stream)(Ended("apply", code, 48.26))
    assert stream.getvalue().rstrip().endswith(line)


@pytest.mark.parametrize(
    ("command", "code", "following"),
    [
        ("status", 2, "carry out the steps that octo-tf status lists"),
        ("render", 2, "octo-tf render"),
        ("console", 4, "octo-tf console"),
        ("console update", 4, "octo-tf console update, once the stack is updated"),
        ("destroy", 4, "octo-tf destroy, once the stacks are deleted"),
    ],
)
def test_a_command_that_waits_for_something_else_names_that_as_next(command, code, following):
    stream = io.StringIO()
    Terminal(stream=stream)(Ended(command, code, 1.0))
    assert stream.getvalue().rstrip().endswith(f"Next: {following}.")


class _Watched(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_what_a_spinner_shows_fits_one_line_and_cuts_no_name(monkeypatch, columns):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    names = [f"aws_s3_bucket_server_side_encryption_configuration.cur[{n}]" for n in range(4)]
    stream = _Watched()
    terminal = Terminal(stream=stream)
    terminal(StepStarted("apply", "Applying"))
    for name in names:
        terminal(ResourceProgress(f"module.octo.{name}", "create", "running", 12.0))
        terminal._spinner._live.refresh()
    terminal(StepEnded("apply", "Applying", 48.26, failed=False))
    frames = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue()))
    assert max(map(len, frames)) < columns
    shown = {word for frame in frames for word in frame.split() if word.startswith("aws_")}
    assert shown <= {*names}
    assert bool(shown) == (columns > 60)
