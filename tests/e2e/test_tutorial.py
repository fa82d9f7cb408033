"""The tutorial, typed as a newcomer would: every command runs, and shows what the page shows."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

PAGE = Path(__file__).parents[2] / "docs/tutorial/first-registration.md"
PROMPT, MORE = "newcomer$ ", "newcomer> "
ANSWERS = {
    r"Apply this to account 111111111111\? \[y/N\]: $": "y",
    r"(Account name|AWS account id|AWS profile|Features|Region)[^\n]*: $": "",
}
LIMIT, QUIET = 240, 5  # seconds: for one command; until an end like a question's is taken for one
EXIT_CODES = {"octo-tf verify": 3}  # after something was changed by hand


class Shell:
    """A terminal with bash, into which lines are typed one at a time."""

    def __init__(self, folder: Path) -> None:
        environ = {
            "HOME": str(folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PS1": PROMPT,
            "PS2": MORE,
            "TERM": "dumb",
            "XDG_CACHE_HOME": str(folder / "cache"),
            **{n: v for n, v in os.environ.items() if n.startswith(("TF_", "OCTO_TF_PROVIDER"))},
        }
        self._bash = pexpect.spawn(
            "bash",
            ["--norc", "--noprofile"],
            cwd=str(folder),
            env=environ,
            encoding="utf-8",
            dimensions=(50, 90),
            timeout=QUIET,
        )
        self._bash.expect_exact(PROMPT, timeout=LIMIT)

    def type(self, line: str, until: str | None = None) -> str:
        """Types a line, answers what it asks; returns what the terminal shows."""
        shown = ""
        self._bash.sendline(line)
        ends = [until] if until else [f"{re.escape(PROMPT)}$", f"{re.escape(MORE)}$"]
        patterns = [*ends, *ANSWERS, pexpect.TIMEOUT]
        deadline = time.monotonic() + LIMIT
        while (index := self._bash.expect(patterns)) >= len(ends):
            if patterns[index] is pexpect.TIMEOUT:  # what was shown stays to be matched
                last = self._bash.before.rpartition("\n")[2]
                assert not last.endswith(": "), f"{line} asks what no answer is for: {last}"
                assert time.monotonic() < deadline, f"{line} does not end: {self._bash.before}"
                continue
            shown += self._bash.before
            self._bash.sendline(ANSWERS[patterns[index]])
        return shown + self._bash.before

    def interrupt(self) -> None:
        """Presses Ctrl-C; what runs ends."""
        self._bash.sendintr()
        self._bash.expect_exact(PROMPT, timeout=LIMIT)

    def close(self) -> None:
        self._bash.sendintr()
        self._bash.close(force=True)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[tuple[Shell, Shell]]:
    """The tutorial's two terminals, the second one in the folder that the first one makes."""
    folder = tmp_path / "octo-tutorial"
    first = Shell(tmp_path)
    folder.mkdir()
    second = Shell(folder)
    folder.rmdir()
    yield first, second
    second.close()
    first.close()


def blocks() -> list[tuple[str, str]]:
    """The page's fenced blocks in order: (``sh`` for commands or empty for output, text)."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def words(text: str) -> str:
    return " ".join(text.split())


def test_every_command_of_the_tutorial_works_and_shows_what_the_page_shows(terminals):
    first, second = terminals
    typed = blocks()[1:]  # the installation is the test environment's
    (_, start), *rest = typed
    make_folder, up = start.splitlines()
    first.type(make_folder)
    first.type(up, until="The sandbox is up at")
    second.type('cd "$PWD"')  # the first terminal has made it
    shown = ""
    for language, text in rest:
        if language == "sh":
            shown = "".join(second.type(line) for line in text.splitlines())
            code = second.type("echo code=$?").partition("code=")[2].partition("code=")[2].strip()
            assert code == str(EXIT_CODES.get(text.splitlines()[-1], 0)), shown
        else:
            for line in text.splitlines():
                assert line.strip() == "..." or words(line) in words(shown), shown
    first.interrupt()  # as the page's end says
