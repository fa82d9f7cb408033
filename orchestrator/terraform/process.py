"""A child process whose output is read while it runs, and that gets each Ctrl-C exactly once."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


def run(
    command: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str],
    on_line: Callable[[str], None],
    on_interrupt: Callable[[int], None],
) -> tuple[int, list[str]]:
    """Runs a command to its end.

    The child has a process group of its own: Ctrl-C reaches it once, from here, so that it can
    finish what it is doing and release what it holds.

    Args:
        command: the program and its arguments.
        folder: where it runs.
        environ: its environment.
        on_line: called with each line of its standard output, in a thread of its own.
        on_interrupt: called with the count of each Ctrl-C (or SIGTERM) that is forwarded.

    Returns:
        Its exit code, and the lines of its standard error.

    Raises:
        KeyboardInterrupt: it was interrupted, and has ended.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
        umask=0o077,  # plan and state hold the inputs
    )
    errors: list[str] = []

    def read_output() -> None:
        for line in process.stdout or ():
            on_line(line)

    readers = [
        threading.Thread(target=read_output, daemon=True),
        threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True),
    ]
    for reader in readers:
        reader.start()
    with _forwarding(process, on_interrupt) as interrupts:
        process.wait()
        for reader in readers:
            reader.join()
    if interrupts:
        raise KeyboardInterrupt
    return process.returncode, errors


@contextmanager
def _forwarding(
    process: subprocess.Popen[str], on_interrupt: Callable[[int], None]
) -> Iterator[list[int]]:
    """Forwards each Ctrl-C (and SIGTERM) to the process; gives the list of those that came.

    By handlers, not by KeyboardInterrupt: a second one would break out of the first one's except
    block and leave the process running. Only the main thread may set handlers.
    """
    interrupts: list[int] = []

    def forward(signum: int, _frame: FrameType | None) -> None:
        interrupts.append(signum)
        on_interrupt(len(interrupts))
        process.send_signal(signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = {kind: signal.signal(kind, forward) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupts
    finally:
        for kind, handler in before.items():
            # Once interrupted the run is ending: another Ctrl-C shall not cut that short.
            signal.signal(kind, signal.SIG_IGN if interrupts else handler)
