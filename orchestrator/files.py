"""Files that are never half-written and never world-readable."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

TEMPORARY = ".octo-tf.tmp"  # how a file that is not complete yet ends


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replaces ``path`` by ``content`` in one step: a reader sees the old file or the new one.

    The folder is made if it is missing (0700).

    Raises:
        OSError: no space, no permission; ``path`` is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=TEMPORARY)
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
