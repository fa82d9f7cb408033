"""The demo's stage: a sandbox, octo-tf as a user runs it, and what is said on stdout."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from orchestrator.errors import OctoTfError
from orchestrator.files import read_regular

_START_SECONDS = 30.0
# Settings of the user's shell that are not the demo's; where Terraform and its provider are, is.
_OF_THE_USER = ("ALPHAUS_", "AWS_", "OCTO_TF_")
_KEPT = {"OCTO_TF_PROVIDER_MIRROR", "OCTO_TF_TF_PATH"}
_WIDEST = 80
_CONTINUED = " \\"  # how a shell's line that goes on ends


@dataclass(frozen=True)
class Ran:
    """A run of octo-tf: its exit code, and what it wrote."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """The verification report that it wrote as JSON."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document


class Stage:
    """A folder with a project for each account, and the environment that leads to the sandbox.

    Args:
        folder: where the projects are.
        step: whether to wait before each scene.
    """

    def __init__(self, folder: Path, environ: dict[str, str], *, step: bool = False) -> None:
        self.folder = folder
        self.environ = environ
        self._step = step
        self._scenes = 0

    def account(self, profile: str) -> str:
        """Return the id of a profile's account: ``linked-1`` → OCTO_SANDBOX_LINKED_1."""
        return self.environ["OCTO_SANDBOX_" + profile.upper().replace("-", "_")]

    def scene(self, title: str) -> None:
        """Begin a scene; with ``--step``, once the user presses a key."""
        if self._step and self._scenes:
            click.pause("\nPress any key for the next scene")
        self._scenes += 1
        line = f"── {self._scenes} · {title} "
        click.secho(f"\n{line}{'─' * max(0, _width() - len(line))}", bold=True)

    def run(self, profile: str, *arguments: str, accepted: Sequence[int] = (0,)) -> Ran:
        """Run octo-tf in an account's project.

        Raises:
            OctoTfError: it ended with an exit code that is not accepted.
        """
        done = subprocess.run(
            [sys.executable, "-m", "orchestrator", *arguments],
            cwd=self.folder / profile,
            env={**_own_environment(), **self.environ, "COLUMNS": str(_width())},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode not in accepted:
            raise OctoTfError(
                f"octo-tf {arguments[0]} ended with exit code {done.returncode}:\n{done.stderr}",
                where=profile,
            )
        return Ran(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def in_environment(self) -> Iterator[None]:
        """Let this process reach the sandbox too, during the block."""
        before = dict(os.environ)
        os.environ.update(self.environ)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _own_environment() -> dict[str, str]:
    """Return this process's environment without the user's settings of octo-tf, AWS and Octo."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.startswith(_OF_THE_USER)
    }


def say(text: str, *, mark: str = "", color: str = "") -> None:
    """Print a paragraph, as wide as the terminal and at most 80 columns.

    Args:
        mark: what its first line begins with; the others are indented by as much.
        color: of the mark.
    """
    indent = " " * len(mark)
    wrapped = textwrap.fill(
        " ".join(text.split()),
        _width(),
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
    click.echo(click.style(mark, fg=color or None) + wrapped[len(mark) :])


def command_line(command: str, *more: str) -> None:
    """Print a command as a shell shows it, on as many lines as it needs.

    Args:
        command: the program with what is typed first.
        more: arguments of this run.
    """
    lines = [f"$ {command}"]
    for argument in more:
        if len(lines[-1]) + len(argument) + len(_CONTINUED) < _width():
            lines[-1] += f" {argument}"
        else:
            lines[-1] += _CONTINUED
            lines.append(f"    {argument}")
    click.secho("\n" + "\n".join(lines), fg="cyan")


def quote(text: str) -> None:
    """Print what a command wrote, with long lines wrapped."""
    for line in text.strip("\n").splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        say(line.strip(), mark=indent)


def _width() -> int:
    return min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)


@contextmanager
def sandbox(folder: Path, *, keep: bool) -> Iterator[dict[str, str]]:
    """Start a sandbox in a process of its own; give the environment that leads to it.

    Args:
        folder: where sandbox.env and caches are.
        keep: whether the sandbox goes on after the block, if that succeeds.

    Raises:
        OctoTfError: it does not start.
    """
    from orchestrator.sandbox import read_env_file

    env_file = folder / "sandbox.env"
    said = folder / "sandbox.log"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "orchestrator", "sandbox", "up", "--env-file", str(env_file)),
            *(() if keep else ("--stop-with-parent",)),
        ],
        env=_own_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=said.open("wb"),
        start_new_session=keep,
    )
    ended_well = False
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not env_file.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                reason = (
                    read_regular(said).decode().partition("\n\n")[0].strip().removeprefix("Error: ")
                )
                raise OctoTfError(
                    f"the sandbox did not start: {reason or 'it does not answer'}",
                    hint="Run `octo-tf sandbox up` to see more." if not reason else "",
                )
            time.sleep(0.05)
        # Octo's tokens are kept with the rest of the demo, not in the user's own cache.
        yield {
            **read_env_file(env_file),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "OCTO_TF_DEMO_SANDBOX": str(process.pid),
        }
        ended_well = True
    finally:
        if not (keep and ended_well):
            process.send_signal(signal.SIGINT)
            process.wait(timeout=10)
