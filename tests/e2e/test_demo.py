"""The demo: a story that a person reads to its end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

LINES = 130


def test_the_demo_registers_proves_repairs_upgrades_and_leaves_in_few_lines():
    shown = subprocess.run(
        [sys.executable, "-m", "orchestrator", "demo"],
        env={**os.environ, "COLUMNS": "80", "OCTO_TF_OCTO": "false", "OCTO_TF_REGION": "nowhere"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = shown.stdout.splitlines()
    assert len(lines) <= LINES
    assert not [line for line in lines if len(line) > 80]
    assert "\x1b" not in shown.stdout
    for claim in (
        "Plan: 18 to add, 0 to change, 0 to destroy.",
        "It gains s3:GetObject on arn:aws:s3:::alphaus-cur-export-111111111111/pre/*",
        "added-by-hand is removed: put there outside Terraform; it allowed s3:* on *.",
        "inline policy added-by-hand is extra",
        "and neither none nor a wrong one",
        "1 linked account has a role AlphausAcctAccessRole already",
        "linked-3  current",
        "which saves 70.08 USD a month.",
        "has left.",
    ):
        assert claim in " ".join(shown.stdout.split()) or claim in shown.stdout, claim
    page = Path(re.search(r"as a page, with its plan: (\S+\.html)", shown.stdout)[1])
    assert "linked accounts get Octo's roles" in unescape(page.read_text())
    page.unlink()
