"""The apply journal: what an apply is about to create, in case it is killed.

AWS may carry out a call whose answer never reaches Terraform. The resource then exists and is not
in the state. The journal lists the resources that did not exist before the apply: if one exists
now, this registration's apply created it.
"""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.errors import OctoTfError
from orchestrator.files import read_regular, write_atomically
from orchestrator.terraform.plan import Plan

_FILE = "unfinished.json"  # the name in folders of earlier versions


def begin(folder: Path, plan: Plan) -> None:
    """Write down what the plan creates, next to what earlier applies did not finish.

    Raises:
        OctoTfError: it cannot be written; without it, a killed apply could not be continued.
    """
    creates = {c.address for c in plan.changes if c.action == "create"}
    noted = sorted(creates | addresses(folder))
    try:
        write_atomically(folder / _FILE, (json.dumps({"creates": noted}, indent=2) + "\n").encode())
    except OSError as error:
        raise OctoTfError(
            f"cannot be written: {error.strerror}; the plan was not applied",
            where=str(folder / _FILE),
            hint="Free disk space or correct the permissions, then run the same command again.",
        ) from error


def end(folder: Path) -> None:
    """Remove the journal after an apply whose resources are all in the state."""
    (folder / _FILE).unlink(missing_ok=True)


def addresses(folder: Path) -> frozenset[str]:
    """List the addresses that an unfinished apply was about to create; empty if there is none."""
    try:
        content = read_regular(folder / _FILE, limit=100_000_000)
        return frozenset(map(str, json.loads(content)["creates"]))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()  # there is no journal, or an unreadable one, which proves nothing
