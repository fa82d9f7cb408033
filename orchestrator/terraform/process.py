"""Run a child process whose output goes to files, so that it never depends on its reader.

A process that writes into a pipe is killed by its next line once the reader is gone. Terraform
would then die in the middle of an apply and leave its state locked.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from orchestrator.cancellation import Cancellation
from orchestrator.terraform import process_group

_POLL_SECONDS = 0.05
_BLOCK_BYTES = 1 << 20


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str],
    log: IO[bytes] | None = None,
    on_start: Callable[[int], None] = lambda _pid: None,
    on_line: Callable[[str], None],
    cancellation: Cancellation,
    on_interrupt: Callable[[int], None],
) -> tuple[int, list[str]]:
    """Run a command to its end.

    The child leads a session of its own, so a terminal's Ctrl-C or hang-up does not reach it: each
    request to stop is forwarded as one SIGINT to its process group. If this process is killed, the
    child goes on. Whatever is left of its process group when it ends is ended too.

    Args:
        log: an open file for standard output and standard error together; without one, both go to
            temporary files that have no name.
        on_start: called with the child's process id.
        on_line: called with each line of its output (without standard error if there is no log).
        on_interrupt: called with the number of requests so far, after each was forwarded.

    Returns:
        Its exit code (negative: the signal that killed it) and, without a log, the lines of its
        standard error.

    Raises:
        KeyboardInterrupt: the run was asked to stop, and the child has ended.
    """
    cancellation.check()
    process: subprocess.Popen[bytes] | None = None

    def stop(count: int) -> None:
        if process is not None:
            process_group.interrupt(process.pid)
        on_interrupt(count)

    with (
        contextlib.nullcontext(log) if log else tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        cancellation.listening(stop),
    ):
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if log else errors,
            start_new_session=True,
            umask=0o077,  # plan and state hold the inputs
        )
        if cancellation.requested:  # asked while the process was being started
            process_group.interrupt(process.pid)
        ended = threading.Event()
        threading.Thread(target=_wait, args=(process, ended), daemon=True).start()
        try:
            on_start(process.pid)
            for line in _lines(output.fileno(), ended):
                on_line(line)
        finally:
            ended.wait()
            process_group.end(process.pid)
        failures = list(_lines(errors.fileno(), ended))
    cancellation.check()
    return process.returncode, failures


def _wait(process: subprocess.Popen[bytes], ended: threading.Event) -> None:
    process.wait()
    ended.set()


def _lines(file: int, ended: threading.Event, offset: int = 0) -> Iterator[str]:
    """Yield the lines of a file that grows until ``ended`` is set."""
    rest = b""
    while True:
        complete = ended.wait(_POLL_SECONDS)
        while block := os.pread(file, _BLOCK_BYTES, offset):
            offset += len(block)
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")
        if complete:
            break
    if rest:
        yield rest.decode(errors="replace")
