"""Long lines are broken for people at a terminal, and for nobody else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from orchestrator.ui.folding import folded

LINE = (
    "  > Enrol account 111122223333 in Cost Optimization Hub, and arn:aws:iam::111122223333:role/x."
)


@pytest.mark.parametrize("width", [30, 60, 80])
def test_lines_are_broken_between_words_and_indented(width):
    shown = folded(f"Plan:\n{LINE}\n\nEnd", width)
    assert shown.split() == f"Plan:\n{LINE}\n\nEnd".split()
    first, *others = shown.splitlines()[1:-2]
    assert first.startswith("  > ")
    assert others
    assert all(line.startswith("    ") for line in others)
    assert max(map(len, shown.splitlines())) <= max(
        width, 4 + len("arn:aws:iam::111122223333:role/x.")
    )


@pytest.mark.parametrize(
    "line", ["short", "  octo-tf apply --plan " + "x" * 90, "$ octo-tf " + "y " * 50]
)
def test_short_lines_and_commands_stay_one_line(line):
    assert folded(line, 80) == line


def test_a_text_has_the_same_words_on_a_terminal_as_in_a_pipe():
    leader, follower = pty.openpty()
    environ = {**os.environ, "COLUMNS": "60", "TERM": "dumb"}
    run = [sys.executable, "-m", "orchestrator", "features"]
    with subprocess.Popen(run, stdout=follower, env=environ, stdin=subprocess.DEVNULL) as process:
        os.close(follower)
        shown = b""
        while chunk := _read(leader):
            shown += chunk
    assert process.returncode == 0
    piped = subprocess.run(run, capture_output=True, text=True, env=environ, check=True).stdout
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode().replace("\r", ""))
    assert text.split() == piped.split()
    assert max(map(len, text.splitlines())) < max(map(len, piped.splitlines()))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""
