"""A copy of the root folder whose state is edited: what will be planned once the edits are made."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.files import write_atomically

BACKEND = "backend_override.tf"  # the copy's state is its own, wherever the root's is
_PREFIX = ".preview-"
_LEFT_OUT = (
    *("*.tfstate*", "*.tfplan", "*.tfbackend.json", ".terraform", "*.lock", "*.log"),
    *("ledger.json*", f"{_PREFIX}*"),
)
_LOCAL = 'terraform {\n  backend "local" {}\n}\n'


@contextmanager
def folder(root: Path, state: str) -> Iterator[Path]:
    """Make the copy for the length of the block; it holds the inputs and the state (0700).

    Args:
        state: the JSON of the edited state; empty for none.
    """
    for left in root.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)  # a run was killed
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=root) as name:
        copy = Path(name)
        shutil.copytree(root, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        write_atomically(copy / BACKEND, _LOCAL.encode())
        if state:
            write_atomically(copy / "terraform.tfstate", state.encode())
        yield copy
