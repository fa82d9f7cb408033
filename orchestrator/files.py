"""Files that are never half-written, never world-readable, and never read without a bound."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

LARGEST = 100_000_000  # bytes: no file of a root folder, a state least of all, comes near
TEMPORARY = ".octo-tf.tmp"  # how a file that is not complete yet ends


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write ``content`` to ``path`` in one step: a reader sees the old or the new file.

    The folder is made if it is missing (0700).

    Raises:
        OSError: no space, no permission; ``path`` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=TEMPORARY)
    except OSError as error:  # of a name that nobody gave
        raise _error(error.errno or errno.EIO, error.strerror or str(error), path) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read_regular(path: Path, *, limit: int = LARGEST) -> bytes:
    """Read a regular file of ``limit`` bytes at most; devices, pipes and folders are refused.

    Raises:
        OSError: it cannot be read, is no regular file (EINVAL), or is larger (EFBIG).
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise _error(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        raise _error(errno.EINVAL, "it is no regular file", path)
    return read_bounded(path, limit=limit)


def read_note(path: Path, *, limit: int = LARGEST) -> dict[str, Any]:
    """Read a JSON object that an earlier run noted, of ``limit`` bytes at most.

    Returns:
        The object; an empty one if the file does not exist, or holds no JSON object.
    """
    try:
        document = json.loads(read_regular(path, limit=limit))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def read_bounded(path: Path, *, limit: int) -> bytes:
    """Read a file, pipe or device of ``limit`` bytes at most.

    Raises:
        OSError: it cannot be read, or is larger (EFBIG).
    """
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise _error(errno.EFBIG, f"it is larger than {limit:,} bytes", path)
    return content


def _error(number: int, reason: str, path: Path) -> OSError:
    return OSError(number, reason, str(path))
