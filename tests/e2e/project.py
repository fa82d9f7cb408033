"""A user's folder, and octo-tf run in it as a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect

from tests.waiting import wait_until

EXTERNAL_ID = "e2e-external-id-7f3a"
CTRL_C, CTRL_D = "\x03", "\x04"


@dataclass
class Project:
    """A folder with an octo.yaml, and octo-tf run in it."""

    folder: Path
    environ: dict[str, str]
    account_id: str
    ran: list[subprocess.CompletedProcess[str]] = field(default_factory=list)

    def __call__(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self.ran.append(result)
        return result

    def on_terminal(
        self, *arguments: str, answers: dict[str, str] | tuple[tuple[str, str], ...]
    ) -> tuple[int, str]:
        """Runs octo-tf on a terminal and answers its questions, in order.

        Args:
            arguments: what follows ``octo-tf``.
            answers: each question with the line that answers it, or with CTRL_C or CTRL_D.

        Returns:
            Its exit code, and everything that the terminal showed.
        """
        terminal = pexpect.spawn(
            sys.executable,
            ["-m", "orchestrator", *arguments],
            cwd=str(self.folder),
            env=self.environ,
            encoding="utf-8",
            timeout=180,
        )
        shown = ""
        for question, answer in answers.items() if isinstance(answers, dict) else answers:
            terminal.expect_exact(question)
            shown += terminal.before + question
            if answer in (CTRL_C, CTRL_D):
                # A key works only once the program reads: until then click prints the question.
                terminal.expect(r"[:>?\]] ")
                terminal.send(answer)
            else:
                terminal.sendline(answer)
        terminal.expect(pexpect.EOF)
        terminal.close()
        return terminal.exitstatus, shown + terminal.before

    def interrupted(self, *arguments: str, when: Callable[[], bool]) -> None:
        """Runs octo-tf, which gets a Ctrl-C as soon as something is so."""
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

        def is_so() -> bool:
            assert process.poll() is None, process.communicate()
            return when()

        wait_until(is_so, "what is to be interrupted", seconds=300)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=180)
        assert process.returncode == 130, errors

    @property
    def root(self) -> Path:
        return self.folder / ".octo-tf" / self.account_id

    def verify(self) -> tuple[int, dict[str, Any]]:
        """The exit code and the report of octo-tf verify."""
        result = self("verify", "--json")
        assert result.stdout, result.stderr
        return result.returncode, json.loads(result.stdout)

    def state_serial(self) -> int:
        return json.loads((self.root / "terraform.tfstate").read_text())["serial"]

    def copied(self, source: Path, destination: Path) -> Project:
        """The project in a copy of a folder above it."""
        environ = {
            name: value.replace(str(source), str(destination))
            for name, value in self.environ.items()
        }
        folder = destination / self.folder.relative_to(source)
        return Project(folder, environ, self.account_id, [*self.ran])

    def exposures(self, secret: str) -> list[str]:
        """The runs that printed a secret, and the files that hold it and others may read."""
        found = [
            f"{result.args[3:]} prints it"
            for result in self.ran
            if secret in result.stdout + result.stderr
        ]
        for path in self.folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and "providers" not in path.parts:
                is_open = path.stat().st_mode & 0o077
                if is_open and secret.encode() in path.read_bytes():
                    found.append(f"{path} is open to others")
        return found

    def settings(self, **changes: Any) -> None:
        """Adds settings to octo.yaml (YAML takes JSON values)."""
        path = self.folder / "octo.yaml"
        lines = [f"{name}: {json.dumps(value)}\n" for name, value in changes.items()]
        path.write_text(path.read_text() + "".join(lines))
