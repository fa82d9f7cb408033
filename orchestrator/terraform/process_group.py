"""The process group of a Terraform process and its providers."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import psutil

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 15.0  # between SIGTERM and SIGKILL


def interrupt(group: int) -> None:
    """Send SIGINT to a group, as a terminal does at Ctrl-C; providers leave it to Terraform."""
    _signal(group, signal.SIGINT)


def end(group: int) -> None:
    """End what is left of a group whose leader has ended: SIGTERM, and SIGKILL after a while.

    A provider does not notice that its Terraform was killed, and would run for ever.
    """
    if not _signal(group, signal.SIGTERM):
        return
    deadline = time.monotonic() + _GRACE_SECONDS
    while members(group):
        if time.monotonic() > deadline:
            _signal(group, signal.SIGKILL)
            return
        time.sleep(_POLL_SECONDS)


def members(group: int) -> list[psutil.Process]:
    """List the running processes of a group.

    A process that has ended and whose parent has not noticed yet, as often in a container, does
    not run.
    """
    found = []
    for process in psutil.process_iter(["status"]):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end_orphaned_providers(group: int) -> None:
    """End the providers of a Terraform that was killed without an octo-tf to notice it.

    A group that has lost its leader keeps its number; the names of its members make sure that the
    number was not given to other programs.
    """
    left = members(group)
    names = []
    for process in left:
        with contextlib.suppress(psutil.Error):
            names.append(" ".join(process.cmdline()))
    led = any(process.pid == group for process in left)
    if names and not led and any("terraform-provider-" in name for name in names):
        end(group)


def _signal(group: int, kind: signal.Signals) -> bool:
    """Send a signal to a group; tell whether there is such a group."""
    try:
        os.killpg(group, kind)
    except (ProcessLookupError, PermissionError):  # macOS: a group of ended processes
        return False
    return True
