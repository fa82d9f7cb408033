"""What an apply was about to make, written down for the case that it is killed meanwhile.

A call that AWS carried out although its answer never reached Terraform leaves something behind
that the state does not know. The next run looked before it applied and wrote down what was not
there: if it is there now, it is ours.
"""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.errors import OctoTfError
from orchestrator.files import write_atomically
from orchestrator.terraform.plan import Plan

_FILE = "unfinished.json"


def begin(folder: Path, plan: Plan) -> None:
    """Notes what the plan creates, beside what earlier runs did not finish.

    Raises:
        OctoTfError: it cannot be written: without it a killed run could not be taken up.
    """
    creates = {c.address for c in plan.changes if c.action == "create"}
    noted = sorted(creates | addresses(folder))
    try:
        write_atomically(folder / _FILE, (json.dumps({"creates": noted}, indent=2) + "\n").encode())
    except OSError as error:
        raise OctoTfError(
            f"cannot be written: {error.strerror}; nothing was applied",
            where=str(folder / _FILE),
            hint="Free the space or the permissions, then run the same command again.",
        ) from error


def end(folder: Path) -> None:
    """Forgets it: Terraform has written everything down."""
    (folder / _FILE).unlink(missing_ok=True)


def addresses(folder: Path) -> frozenset[str]:
    """The addresses that a run which did not end was about to create."""
    try:
        return frozenset(map(str, json.loads((folder / _FILE).read_bytes())["creates"]))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()  # nothing was begun, or nothing that can be relied on
