"""Read what a saved plan was made from out of the plan's own file.

A Terraform plan file is a zip that carries, beside the plan, the configuration it was made from,
the provider lock file and the state it started from
(https://developer.hashicorp.com/terraform/internals/archiving). Nothing of ours has to travel
with it but one part more: what the plan announces outside Terraform.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from orchestrator.errors import EngineError
from orchestrator.files import read_regular
from orchestrator.model.outside_action import OutsideAction
from orchestrator.terraform import provider_lock
from orchestrator.terraform.state import StateVersion

_CONFIG = "tfconfig/"
_MODULES = "tfconfig/modules.json"
# The state after the refresh, with lineage and serial of the one that it was read from. The part
# tfstate-prev has them in Terraform's plans only: OpenTofu leaves them empty there.
_STATE = "tfstate"
_PREVIOUS = "tfstate-prev"
_OUTSIDE = "octo-tf.json"  # ours; Terraform reads the parts that it knows by name
_MAX_BYTES = 10_000_000  # of one part; ours are kilobytes

Locked = dict[str, tuple[str, frozenset[str]]]  # provider → version and package hashes


@dataclass(frozen=True)
class PlanFile:
    """What a plan was made from.

    Attributes:
        config: the ``.tf`` files, by path relative to the root folder.
        state: lineage and serial of the state.
        outside: what the plan announces outside Terraform.
        applied_outputs: the root's outputs as the last apply left them.
        outputs: the root's outputs after the refresh, as the state would hold them: what
            ``terraform output`` answers where the plan changes nothing.
    """

    config: dict[str, bytes]
    lock_file: str
    state: StateVersion
    outputs: dict[str, Any]
    outside: tuple[OutsideAction, ...] = ()
    applied_outputs: dict[str, Any] = field(default_factory=dict)


def read(path: Path) -> PlanFile:
    """Read a plan file.

    Raises:
        EngineError: the file is not a plan, or is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(read_regular(path))) as archive:
            parts = {
                entry.filename: archive.read(entry)
                for entry in archive.infolist()
                if entry.file_size <= _MAX_BYTES
            }
        folders = {m["Key"]: m["Dir"] for m in json.loads(parts[_MODULES])}
        config = {}
        for name, content in parts.items():
            if name.startswith(f"{_CONFIG}m-"):
                key, _, file = name.removeprefix(f"{_CONFIG}m-").partition("/")
                config[str(PurePosixPath(folders[key], file))] = content
        state = json.loads(parts[_STATE])
        return PlanFile(
            config,
            parts.get(provider_lock.NAME, b"").decode(),
            StateVersion(state["lineage"], state["serial"]),
            _values(state),
            tuple(OutsideAction(**action) for action in json.loads(parts.get(_OUTSIDE, b"[]"))),
            _values(json.loads(parts.get(_PREVIOUS, b"{}"))),
        )
    except OSError as error:
        raise EngineError(
            f"cannot be read: {error.strerror}",
            where=str(path),
            hint="Name a file that `octo-tf plan --out FILE` wrote.",
        ) from error
    except (zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError) as error:
        raise EngineError(
            f"is not a plan that can be applied here ({type(error).__name__})",
            where=str(path),
            hint="Make a new one with `octo-tf plan --out FILE`.",
        ) from error


def _values(state: dict[str, Any]) -> dict[str, Any]:
    return {name: output["value"] for name, output in state.get("outputs", {}).items()}


def attach(path: Path, outside: Sequence[OutsideAction]) -> None:
    """Write into a plan file what the plan announces outside Terraform.

    A file that is not there (Terraform refused to plan) stays so.
    """
    if outside and path.is_file():
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_OUTSIDE, json.dumps([asdict(action) for action in outside]))


def locked(text: str) -> Locked:
    """Read the providers of a ``.terraform.lock.hcl``: version and package hashes by address."""
    if not text.strip():
        return {}
    import hcl2  # slow to load, and needed for a plan made earlier only

    found: Locked = {}
    for block in hcl2.loads(text).get("provider", []):
        for name, body in block.items():
            if not name.startswith("__"):
                hashes = frozenset(str(h).strip('"') for h in body.get("hashes", []))
                found[name.strip('"')] = (str(body["version"]).strip('"'), hashes)
    return found
