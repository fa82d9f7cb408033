"""What an upgrade must not lose is named."""

from __future__ import annotations

import pytest

from orchestrator.app.snapshot import Snapshot, differences, keep, kept
from orchestrator.errors import OctoTfError

IDS = {"role A": "AROA1", "bucket b": "2026-01-01"}
BEFORE = Snapshot(
    identities=IDS,
    passing=["api_access.role", "cur_s3.report"],
    linked=["111122223333"],
)


def changed(**changes) -> Snapshot:
    return BEFORE.model_copy(update=changes)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE, []),
        (
            changed(identities={**BEFORE.identities, "more": "x"}, passing=[*BEFORE.passing, "y"]),
            [],
        ),
        (
            changed(identities={"role A": "AROA2", "bucket b": "2026-01-01"}),
            ["role A was recreated"],
        ),
        (changed(identities={"role A": "AROA1"}), ["bucket b was lost"]),
        (changed(passing=["api_access.role"]), ["cur_s3.report passed before"]),
        (changed(linked=[]), ["linked account 111122223333 was reached before"]),
    ],
)
def test_what_is_lost_is_named(after, expected):
    assert differences(BEFORE, after) == expected


def test_the_snapshot_of_an_interrupted_upgrade_counts(tmp_path):
    path = tmp_path / "upgrade.json"
    assert kept(path) is None
    keep(BEFORE, path)
    assert path.stat().st_mode & 0o077 == 0
    assert kept(path) == BEFORE


def test_a_damaged_snapshot_says_so(tmp_path):
    (tmp_path / "upgrade.json").write_text("{")
    with pytest.raises(OctoTfError, match="no snapshot"):
        kept(tmp_path / "upgrade.json")
