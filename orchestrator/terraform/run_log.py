"""The file that a Terraform writes its output to; whether it is locked says whether it runs.

The lock (flock) belongs to the open file that Terraform inherits as its standard output. It is held
until Terraform ends, even if octo-tf was killed before, and needs no clean-up.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from orchestrator.cancellation import Cancellation
from orchestrator.terraform import process_group

NAME = "terraform-run.log"
_PID = re.compile(rb"^# Terraform runs as process (\d+)$", re.MULTILINE)
_POLL_SECONDS = 0.5


@contextlib.contextmanager
def opened(
    folder: Path, *, on_wait: Callable[[str], None], cancellation: Cancellation
) -> Iterator[IO[bytes]]:
    """Open the log of a new run in a root folder (0600); it is removed at the end of the block.

    Args:
        on_wait: called with a sentence for the user if an earlier Terraform is still running.

    Raises:
        KeyboardInterrupt: the run was asked to stop.
    """
    wait_for_earlier(folder, on_wait=on_wait, cancellation=cancellation)
    path = folder / NAME
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
    with open(os.open(path, flags, 0o600), "a+b", buffering=0) as log:  # noqa: PTH123
        _lock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield log
        finally:
            path.unlink(missing_ok=True)


def note_pid(log: IO[bytes], pid: int) -> None:
    """Write down which process writes to the log, for the case that octo-tf is killed."""
    with contextlib.suppress(OSError):  # a full disk: Terraform itself says so
        log.write(f"# Terraform runs as process {pid}\n".encode())


def is_note(line: str) -> bool:
    """Tell whether a line of a log is octo-tf's own."""
    return _PID.match(line.encode()) is not None


def wait_for_earlier(
    folder: Path, *, on_wait: Callable[[str], None], cancellation: Cancellation
) -> None:
    """Wait until a Terraform whose octo-tf was killed has ended, and clear up behind it.

    Raises:
        KeyboardInterrupt: the run was asked to stop while it waited.
    """
    path = folder / NAME
    try:
        log = path.open("rb+")
    except OSError:  # there is none
        return
    with log:
        noted = _PID.search(log.read())
        pid = int(noted.group(1)) if noted else -1
        if not _lock(log, fcntl.LOCK_EX | fcntl.LOCK_NB):
            which = f" (process {pid})" if noted else ""
            on_wait(f"An earlier Terraform{which} is still finishing: waiting for it.")
            while not _lock(log, fcntl.LOCK_EX | fcntl.LOCK_NB):
                cancellation.sleep(_POLL_SECONDS)
                process_group.end_orphaned_providers(pid)  # should they hold the log open
        process_group.end_orphaned_providers(pid)
        path.unlink(missing_ok=True)


def _lock(log: IO[bytes], kind: int) -> bool:
    try:
        fcntl.flock(log, kind)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: the lock of the state remains
        return True
    return True
