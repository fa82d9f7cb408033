"""The state as files of the root folder: recognize what cannot be read, and move it aside.

Terraform replaces its local state in place, so a full disk or a crash can leave a part of it. A
backup is older than what was done since and would be wrong as the truth. Without a state, import
detection finds what is provably this registration's own, and the next apply imports it.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from orchestrator.files import read_regular
from orchestrator.terraform.state import NO_STATE, StateEdit, StateVersion

LOCAL_STATE = "terraform.tfstate"
_BACKEND = "backend.tfbackend.json"  # rendered where the state is not a file of the folder
FALLBACK = "errored.tfstate"  # where Terraform puts a state that its backend did not take
_KEYS = {"version", "serial", "lineage"}
# OpenTofu's mark of what it encrypted. Source: OpenTofu's internal/encryption, ``basedata``.
ENCRYPTED = '"encryption_version"'


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
            content = read_regular(path)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.EISDIR, errno.EFBIG):
                unreadable[path] = str(error.strerror)
            continue  # otherwise missing or not readable: Terraform reports it
        if reason := _unreadable(name, content):
            if content or name != LOCAL_STATE:
                unreadable[path] = reason
        elif name == FALLBACK:
            fallback = path
    return StateFiles(unreadable, fallback, remote)


def recovery(folder: Path, backend_version: Callable[[], StateVersion]) -> tuple[StateEdit, ...]:
    """Decide what brings the state files of a root folder in order; nothing is changed.

    Args:
        backend_version: reads which state the backend holds; called only if it matters.
    """
    files = inspect(folder)
    edits = [StateEdit("set_aside", path.name) for path in files.unreadable]
    if files.fallback:
        document = json.loads(read_regular(files.fallback))
        now = NO_STATE if files.state_is_lost else backend_version()
        is_newer = document["lineage"] == now.lineage and document["serial"] > now.serial
        if is_newer or now == NO_STATE:
            edits.append(StateEdit("push", files.fallback.name))
    return tuple(edits)


def set_aside(path: Path, *, now: datetime | None = None) -> Path:
    """Rename an unreadable state file to a name with the time; return its new path.

    Call it after the user's consent only: it changes what Terraform takes for the state.
    """
    return _renamed(path, "unreadable", now)


def keep_pushed(path: Path, *, now: datetime | None = None) -> Path:
    """Rename a state file that was saved in the backend, so that it is not saved there again."""
    return _renamed(path, "pushed", now)


def _renamed(path: Path, why: str, now: datetime | None) -> Path:
    time = (now or datetime.now(timezone.utc)).strftime("%Y%m%dT%H%M%SZ")
    target = path.with_name(f"{path.name}.{why}-{time}")
    path.rename(target)
    return target


def _unreadable(name: str, content: bytes) -> str:
    """Say why a file holds no state that can be used; empty if it does."""
    if not content.strip():
        return "it is empty"
    try:
        document = json.loads(content)
    except ValueError:
        return f"it is not complete JSON ({len(content)} bytes)"
    # An encrypted state of OpenTofu has serial and lineage in plain text, and the rest encrypted.
    # Its `state push` reads no encrypted file (tried with 1.12), though errored.tfstate is one.
    is_encrypted = ENCRYPTED.encode() in content
    if is_encrypted and name == FALLBACK:
        return "it is encrypted, and OpenTofu's state push cannot read an encrypted file"
    keys = _KEYS - {"version"} if is_encrypted else _KEYS
    if not isinstance(document, dict) or not document.keys() >= keys:
        return "it is no Terraform state"
    return ""
