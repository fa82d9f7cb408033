"""What ``terraform init`` installed in a root folder, and whether it must run again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from orchestrator.files import read_note, read_regular, write_atomically
from orchestrator.terraform import provider_lock

PROVIDERS = ".terraform/providers"
_STAMP = ".terraform/octo-tf-init.json"
_WRITTEN = (".terraform/modules/modules.json", ".terraform/terraform.tfstate")


class Installation:
    """The ``.terraform`` folder of a root folder.

    It is current as long as neither what init read nor what init wrote has changed since.

    Args:
        tool: what else init depends on: the program, its version, the provider mirror.
    """

    def __init__(self, folder: Path, tool: str) -> None:
        self._folder = folder
        self._tool = tool

    def is_current(self) -> bool:
        """Tell whether init can be skipped."""
        recorded = read_note(self._folder / _STAMP)
        return recorded == {"init": self._inputs(), "installed": self._installed()}

    def clear_if_damaged(self) -> None:
        """Remove what init installed unless it is as init left it: init repairs only a part.

        The selected workspace (``.terraform/environment``) is kept: it says where the state is.
        """
        recorded = read_note(self._folder / _STAMP)
        by_an_older_version = bool(recorded) and "installed" not in recorded
        if by_an_older_version or recorded.get("installed") == self._installed():
            return
        for name in _WRITTEN:
            (self._folder / name).unlink(missing_ok=True)
        if (self._folder / PROVIDERS).exists():
            shutil.rmtree(self._folder / PROVIDERS)

    def record(self) -> None:
        """Write down what init read and wrote."""
        document = {"init": self._inputs(), "installed": self._installed()}
        write_atomically(self._folder / _STAMP, json.dumps(document).encode())

    def forget(self) -> None:
        """Have the next init run, whatever is installed, and install everything again."""
        if (self._folder / _STAMP).exists():
            write_atomically(self._folder / _STAMP, b'{"installed": ""}')

    def _inputs(self) -> str:
        """Return a digest of everything that init reads."""
        digest = hashlib.sha256()
        # Import blocks come and go with single runs, and init does not read them.
        sources = [f for f in self._folder.glob("*.tf") if f.name != "imports.tf"]
        sources += self._folder.glob("*.tfbackend.json")
        sources += [*self._folder.glob("modules/**/*.tf"), self._folder / provider_lock.NAME]
        for path in sorted(sources):
            digest.update(str(path.relative_to(self._folder)).encode() + b"\0")
            digest.update(read_regular(path) if path.exists() else b"")
        digest.update(self._tool.encode())
        return digest.hexdigest()

    def _installed(self) -> str:
        """Return a digest of the small files' content and of the providers' sizes.

        A copy or a restored cache keeps sizes, but not always times; Terraform itself compares
        checksums.
        """
        digest = hashlib.sha256()
        for name in _WRITTEN:
            path = self._folder / name
            digest.update(name.encode() + (read_regular(path) if path.is_file() else b""))
        for path in sorted(_files(self._folder / PROVIDERS)):
            size = path.stat().st_size if path.exists() else -1  # a link to a mirror that is gone
            digest.update(f"{path.relative_to(self._folder)}\0{size}\0".encode())
        return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder; a provider of a mirror is a link to its folder."""
    for parent, _, names in os.walk(folder, followlinks=True):
        yield from (Path(parent, name) for name in names)
