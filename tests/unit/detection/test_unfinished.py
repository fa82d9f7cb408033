"""What an apply was about to make is known to the next run, until an apply ends well."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import OctoTfError
from orchestrator.terraform import journal
from orchestrator.terraform.events import PlannedChange
from orchestrator.terraform.plan import Plan


def plan(*addresses: str, action: str = "create") -> Plan:
    changes = tuple(PlannedChange(a, a.split(".")[0], action) for a in addresses)
    return Plan(Path("p"), changes, True)


def test_what_was_begun_is_known_until_it_ends(tmp_path):
    journal.begin(tmp_path, plan("a.b"))
    journal.begin(tmp_path, plan("c.d"))  # the first was killed
    assert journal.addresses(tmp_path) == {"a.b", "c.d"}
    journal.end(tmp_path)
    journal.end(tmp_path)
    assert journal.addresses(tmp_path) == frozenset()


def test_only_what_is_created_counts(tmp_path):
    journal.begin(tmp_path, plan("a.b", action="update"))
    assert journal.addresses(tmp_path) == frozenset()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"creates": 1}', "\0"])
def test_a_damaged_note_proves_nothing(tmp_path, text):
    (tmp_path / "unfinished.json").write_text(text)
    assert journal.addresses(tmp_path) == frozenset()


def test_a_note_that_cannot_be_written_stops_the_apply(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OctoTfError, match="the plan was not applied"):
        journal.begin(tmp_path / "file", plan("a.b"))


def test_what_existed_by_then_is_contested_until_it_is_gone(tmp_path):
    journal.begin(tmp_path, plan("a.b"))
    journal.contest(tmp_path, ["a.b"])
    assert journal.contested(tmp_path) == journal.addresses(tmp_path) == {"a.b"}
    journal.begin(tmp_path, plan("c.d"))
    assert journal.contested(tmp_path) == {"a.b"}
    journal.begin(tmp_path, plan("a.b"))  # what a plan creates was looked for, and is not there
    assert journal.contested(tmp_path) == frozenset()
