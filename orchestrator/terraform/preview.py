"""A copy of the root folder whose state is edited: what will be planned once the edits are made."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.files import write_atomically
from orchestrator.terraform.state import StateEdit, edited

_LEFT_OUT = ("*.tfstate*", "*.tfplan", "*.tfbackend.json", ".terraform", "*.lock", "ledger.json*")
_LOCAL = 'terraform {\n  backend "local" {}\n}\n'


@contextmanager
def folder(root: Path, state: str, edits: Collection[StateEdit]) -> Iterator[Path]:
    """Make the copy for the length of the block; it holds the inputs and the state (0700).

    Args:
        root: the root folder.
        state: its state's JSON, from whatever backend.
        edits: what is changed in the copy of the state.
    """
    with tempfile.TemporaryDirectory(prefix=".preview-", dir=root) as name:
        copy = Path(name)
        shutil.copytree(
            root, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_LEFT_OUT, ".preview-*")
        )
        write_atomically(copy / "backend_override.tf", _LOCAL.encode())
        write_atomically(copy / "terraform.tfstate", edited(state, edits).encode())
        yield copy
