"""The state as files of the root folder: recognise what cannot be read, and move it aside.

Terraform replaces its local state in place, so a full disk or a crash can leave a part of it. A
backup is older than what was done since and would be wrong as the truth. Without a state, import
detection finds what is provably this registration's own, and the next apply imports it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

LOCAL_STATE = "terraform.tfstate"
_BACKEND = "backend.tfbackend.json"  # rendered where the state is not a file of the folder
FALLBACK = "errored.tfstate"  # where Terraform puts a state that its backend did not take
_KEYS = {"version", "serial", "lineage"}


@dataclass(frozen=True)
class StateFiles:
    """What the state files of a root folder are good for.

    Attributes:
        unreadable: the files that hold no complete state, each with the reason.
        fallback: a complete state that Terraform could not write to its backend, if there is one.
        remote: whether the state is in a remote backend; a local one is then without effect.
    """

    unreadable: dict[Path, str]
    fallback: Path | None = None
    remote: bool = False

    @property
    def state_is_lost(self) -> bool:
        """Whether Terraform cannot work before the local state is moved aside."""
        return any(path.name == LOCAL_STATE for path in self.unreadable)


def inspect(folder: Path) -> StateFiles:
    """Read the state files of a root folder; nothing is changed.

    An empty ``terraform.tfstate`` is none to Terraform, and not reported.
    """
    unreadable = {}
    fallback = None
    remote = (folder / _BACKEND).is_file()
    for name in (FALLBACK,) if remote else (LOCAL_STATE, FALLBACK):
        path = folder / name
        try:
            content = path.read_bytes()
        except OSError:  # absent, or closed to this user: Terraform says so
            continue
        if reason := _unreadable(content):
            if content or name != LOCAL_STATE:
                unreadable[path] = reason
        elif name == FALLBACK:
            fallback = path
    return StateFiles(unreadable, fallback, remote)


def set_aside(folder: Path, *, now: datetime | None = None) -> dict[Path, Path]:
    """Move the unreadable state files of a root folder aside, under a name with the time.

    Call it after the user's consent only: it changes what Terraform takes for the state.

    Returns:
        The new path of each file that was moved.

    Raises:
        OSError: a file cannot be renamed.
    """
    moved = {}
    for path in inspect(folder).unreadable:
        moved[path] = _renamed(path, "unreadable", now)
    return moved


def keep_pushed(fallback: Path, *, now: datetime | None = None) -> Path:
    """Rename a fallback state after it was pushed to its backend, so that it is not used again.

    Raises:
        OSError: the file cannot be renamed.
    """
    return _renamed(fallback, "pushed", now)


def _renamed(path: Path, why: str, now: datetime | None) -> Path:
    time = (now or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.{why}-{time}")
    path.rename(target)
    return target


def _unreadable(content: bytes) -> str:
    """Say why bytes are no state; empty if they are one."""
    if not content.strip():
        return "it is empty"
    try:
        document = json.loads(content)
    except ValueError:
        return f"it is not complete JSON ({len(content)} bytes)"
    if not isinstance(document, dict) or not document.keys() >= _KEYS:
        return "it is no Terraform state"
    return ""
