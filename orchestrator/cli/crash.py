"""The last resort: an exception that nothing explains goes to a file, without secrets."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

from orchestrator import __version__
from orchestrator.errors import OctoTfError
from orchestrator.redaction import redact

_HINT = "Report it with that file. `octo-tf doctor` checks everything that a run needs."


def report(error: BaseException, command: str) -> OctoTfError:
    """Write the crash file and return what to tell: what happened, where it is, what to do.

    Args:
        command: the command's name, without its arguments: those may hold secrets.
    """
    what = f"octo-tf failed unexpectedly: {_last_line(error)}"
    file = write(_content(error, command))
    if file is None:
        where = f"{_place(error)}; no folder takes a crash file"
        return OctoTfError(what, where=where, hint=_HINT)
    return OctoTfError(what, where=str(file), hint=_HINT)


def write(text: str) -> Path | None:
    """Write a crash file (0600) and return its path; None if no folder takes it."""
    for folder in _folders():
        with contextlib.suppress(OSError):
            handle, name = tempfile.mkstemp(prefix="octo-tf-crash-", suffix=".txt", dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return Path(name)
    return None


def _folders() -> Iterator[Path]:
    with contextlib.suppress(OSError):  # no temporary folder is usable
        yield Path(tempfile.gettempdir())
    with contextlib.suppress(OSError, RuntimeError):  # no home
        folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "octo-tf"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield folder


def _content(error: BaseException, command: str) -> str:
    head = (
        f"octo-tf {__version__} {command}\n"
        f"Python {platform.python_version()} on {platform.platform()}, {sys.executable}\n\n"
    )
    return redact(head + "".join(traceback.format_exception(error)))


def _last_line(error: BaseException) -> str:
    return " ".join(traceback.format_exception_only(type(error), error)[-1].split())[:300]


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "orchestrator" in Path(frame.filename).parts]
    last = (own or frames)[-1:]
    return f"{Path(last[0].filename).name}:{last[0].lineno}" if last else "an unknown place"
