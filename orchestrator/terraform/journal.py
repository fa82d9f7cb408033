"""The apply journal: what an apply is about to create, in case it is killed.

AWS may carry out a call whose answer never reaches Terraform. The resource then exists and is not
in the state. The journal lists the resources that did not exist before the apply: if one exists
now, this registration's apply created it.

AWS may also answer that a resource exists already. Either the answer to a first attempt was lost,
or another working folder created the resource: the journal notes it as contested.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from orchestrator.errors import OctoTfError
from orchestrator.files import read_note, write_atomically
from orchestrator.terraform.plan import Plan

_FILE = "unfinished.json"  # the name in folders of earlier versions


def begin(folder: Path, plan: Plan) -> None:
    """Write down what the plan creates, next to what earlier applies did not finish.

    Raises:
        OctoTfError: it cannot be written; without it, a killed apply could not be continued.
    """
    creates = {c.address for c in plan.changes if c.action == "create"}
    # Import detection did not find what this plan creates, so it is no longer contested.
    _write(folder, creates | addresses(folder), contested(folder) - creates)


def contest(folder: Path, taken: Collection[str]) -> None:
    """Note the addresses that could not be created because they existed already."""
    _write(folder, addresses(folder), contested(folder) | {*taken})


def end(folder: Path) -> None:
    """Remove the journal after an apply whose resources are all in the state."""
    (folder / _FILE).unlink(missing_ok=True)


def addresses(folder: Path) -> frozenset[str]:
    """List the addresses that an unfinished apply was about to create; empty if there is none."""
    return _read(folder, "creates")


def contested(folder: Path) -> frozenset[str]:
    """List the addresses that the unfinished apply could not create because they existed."""
    return _read(folder, "contested")


def _read(folder: Path, key: str) -> frozenset[str]:
    noted = read_note(folder / _FILE).get(key)
    return frozenset(map(str, noted)) if isinstance(noted, list) else frozenset()


def _write(folder: Path, creates: Collection[str], taken: Collection[str]) -> None:
    document = {"creates": sorted(creates), "contested": sorted(taken)}
    try:
        write_atomically(folder / _FILE, (json.dumps(document, indent=2) + "\n").encode())
    except OSError as error:
        raise OctoTfError(
            f"cannot be written: {error.strerror}; the plan was not applied",
            where=str(folder / _FILE),
            hint="Free disk space or correct the permissions, then run the same command again.",
        ) from error
