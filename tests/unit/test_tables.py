"""Tables show every name and every hint, however narrow the terminal is."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from orchestrator.model.coverage import Coverage, LinkedAccount, State
from orchestrator.report.coverage import as_table

NAME = "production-of-the-very-long-named-subsidiary-in-frankfurt"
REASON = "ResourceLogicalId:Role, ResourceType:AWS::IAM::Role, AlreadyExists-with-a-long-name"


def coverage(accounts: int = 1) -> Coverage:
    return Coverage(
        tuple(LinkedAccount(f"{n:012}", NAME, State.FAILED, REASON) for n in range(1, accounts + 1))
    )


def without_breaks(text: str) -> str:
    """What a text says, wherever its lines and columns break."""
    return re.sub(r"[\s─]", "", text)


@pytest.mark.parametrize("columns", ["40", "60", "100", "200"])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_nothing_is_cut(monkeypatch, columns, is_terminal):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal, raising=False)
    table = as_table(coverage())
    assert "…" not in table
    assert Counter(without_breaks(NAME + REASON)) <= Counter(without_breaks(table))
    if is_terminal:
        assert max(map(len, table.splitlines())) <= min(int(columns), 120)


def test_a_pipe_gets_each_name_in_one_piece(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    assert NAME in as_table(coverage())


@pytest.mark.parametrize(("count", "words"), [(1, "1 linked account "), (2, "2 linked accounts ")])
def test_accounts_are_counted_in_singular_and_plural(count, words):
    assert f"Octo reaches 0 of {words}" in as_table(coverage(count))
