"""Run one Terraform command in a root folder: command line, environment, events, secrets.

python-terraform maps options to a command line. It neither streams, nor forwards signals, nor keeps
the caller's environment out, so only that mapping is used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import python_terraform

from orchestrator.cancellation import Cancellation
from orchestrator.errors import EngineError
from orchestrator.terraform import binary as binaries
from orchestrator.terraform import failures, process, run_log
from orchestrator.terraform.events import Diagnostic, Event, UnparsedLine, parse

_STOPPING = "Stopping Terraform; it finishes the calls under way and saves its state."
_AT_ONCE = (
    "Stopping Terraform at once; resources may exist that its state does not know. The next run"
    " imports those of this account's registration, and names the others."
)
# Commands that change nothing and hold no lock: their output is data, the state's among it.
_READING = frozenset({"show", "output", "state pull"})


class Runner(python_terraform.Terraform):  # type: ignore[misc]  # untyped library
    """Terraform in one root folder.

    Args:
        environ: the caller's environment; it is cleaned before use.
        secrets: texts that are cut out of errors.
        on_interrupt: called with a sentence for the user when a request to stop is forwarded, and
            when an earlier Terraform must be waited for.
        lock_seconds: how long another run's state lock is waited for.
        keep: variables that stay in the environment, for a root that is not octo-tf's own.
    """

    def __init__(
        self,
        binary: binaries.Binary,
        folder: Path,
        *,
        environ: Mapping[str, str],
        secrets: Collection[str] = (),
        on_event: Callable[[Event], None] = lambda _event: None,
        on_interrupt: Callable[[str], None] = lambda _sentence: None,
        cancellation: Cancellation | None = None,
        parallelism: int | None = None,
        lock_seconds: float = 60.0,
        keep: Collection[str] = frozenset(),
    ) -> None:
        super().__init__(working_dir=str(folder), terraform_bin_path=binary.command[0])
        self.binary = binary
        self.folder = folder
        self._environ = environ
        self._secrets = tuple(sorted((s for s in secrets if s), key=len, reverse=True))
        self._on_event = on_event
        self._on_interrupt = on_interrupt
        self._cancellation = cancellation or Cancellation()
        self._parallelism = parallelism
        self._keep = keep
        self._lock_timeout = f"{lock_seconds:.0f}s"
        if reason := binaries.unusable_tmpdir(environ):
            self._say(
                f"TMPDIR={environ['TMPDIR']} {reason}: Terraform uses the system's own folder for"
                " temporary files."
            )

    def read_state_file(self, file_path: str | None = None) -> None:
        """Override the library's habit of loading the state: it holds the external id."""

    def _run(
        self,
        command: str,
        *arguments: str,
        on_event: Callable[[Event], None] | None = None,
        **options: object,
    ) -> tuple[int, list[str], list[str]]:
        """Run one command; return its exit code, its lines that are no events, and its errors.

        With ``on_event``, the output is read as events while the command runs. Commands that change
        something finish alone if octo-tf is killed; their standard error is among the lines.

        Raises:
            EngineError: the command cannot be started, or its log cannot be written.
            KeyboardInterrupt: the run was asked to stop, and the command has ended.
        """
        _program, *words = self.generate_cmd_string(command, *arguments, **options)
        lines: list[str] = []

        def read(line: str) -> None:
            event = parse(line) if on_event else UnparsedLine(line)
            if isinstance(event, UnparsedLine):
                if not run_log.is_note(line):
                    lines.append(event.line)
            elif event is not None and on_event:
                on_event(event)
                with contextlib.suppress(OSError):  # a terminal that is gone must not end the run
                    self._on_event(event)

        with contextlib.ExitStack() as stack:
            try:
                log = None
                if command not in _READING:
                    log = stack.enter_context(
                        run_log.opened(
                            self.folder, on_wait=self._say, cancellation=self._cancellation
                        )
                    )
                returncode, errors = process.run(
                    [*self.binary.command, *words],
                    folder=self.folder,
                    environ=binaries.clean_environment(self._environ, keep=self._keep),
                    log=log,
                    on_start=lambda pid: run_log.note_pid(log, pid) if log else None,
                    on_line=read,
                    cancellation=self._cancellation,
                    on_interrupt=lambda count: self._say(_STOPPING if count == 1 else _AT_ONCE),
                )
            except OSError as error:
                raise EngineError(
                    f"terraform {command} cannot be started: {error.strerror}",
                    where=str(error.filename or self.folder),
                    hint="Free disk space or correct the permissions, then run the same command"
                    " again.",
                ) from error
        return returncode, lines, errors

    def _say(self, sentence: str) -> None:
        with contextlib.suppress(OSError):  # a terminal that is gone must not end the run
            self._on_interrupt(sentence)

    def _failure(
        self, command: str, returncode: int, lines: list[str], diagnostics: list[Diagnostic]
    ) -> EngineError:
        error = failures.failure(command, returncode, lines, diagnostics, self.folder)
        return EngineError(self._redact(error.what), where=error.where, hint=error.hint)

    def _redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "(secret)")
        return text
