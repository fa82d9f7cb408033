"""Read which resources another Terraform state has of the published module, and remove them there.

The published module has a provider block inside, so ``removed`` blocks are refused for its
resources: ``terraform state rm`` is the way, and destroys nothing.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.adoption.foreign_module import ForeignModule
from orchestrator.errors import EngineError
from orchestrator.files import write_atomically
from orchestrator.terraform.client import Terraform

_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role/")
# The attributes that hold a resource's own name, or the name of what it belongs to.
_NAMES = ("name", "role", "role_name", "bucket", "report_name", "stack_set_name")


@dataclass(frozen=True)
class ForeignState:
    """What another state has of the published module.

    Attributes:
        addresses: the module's resources, to be removed from that state.
        accounts: the accounts that its roles are in.
        others: how many other resources are in that state, where they stay.
    """

    addresses: tuple[str, ...] = ()
    accounts: frozenset[str] = frozenset()
    others: int = 0

    @property
    def commands(self) -> list[str]:
        """Give the commands that remove the addresses, for a shell."""
        return [shlex.join(["terraform", "state", "rm", *self.addresses])] if self.addresses else []


def read_state(terraform: Terraform, module: ForeignModule, names: Collection[str]) -> ForeignState:
    """Read the state of the folder that uses the published module.

    Args:
        terraform: in that folder.
        module: the published module there.
        names: the roles, buckets, reports and StackSets to adopt. If the folder is the module
            itself, its resources are distinguished from others in the state by these names.

    Raises:
        EngineError: the state cannot be read.
    """
    try:
        text = terraform.pull()
    except EngineError as error:
        raise EngineError(
            error.what,
            where=str(module.folder),
            hint="Run terraform init in that folder, then the same command again.",
        ) from None
    if not text:
        return ForeignState()
    addresses, others, accounts = [], 0, set()
    for resource in json.loads(text).get("resources", []):
        if resource.get("mode") != "managed" and not module.address:
            continue  # the data sources of a root are used by its other resources too
        for instance in resource["instances"]:
            if not _belongs(resource, instance, module.address, names):
                others += 1
                continue
            addresses.append(_address(resource, instance))
            accounts |= set(_ROLE_ARN.findall(json.dumps(instance.get("attributes", {}))))
    return ForeignState(tuple(sorted(addresses)), frozenset(accounts), others)


def names_in(state: str) -> frozenset[str]:
    """Return the names that a state's resources have in AWS; none of a text that is no state."""
    try:
        return frozenset(
            str(name)
            for resource in json.loads(state or "{}").get("resources", [])
            if resource.get("mode") == "managed"
            for instance in resource["instances"]
            for key in _NAMES
            if (name := (instance.get("attributes") or {}).get(key))
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset()


def _belongs(
    resource: dict[str, Any], instance: dict[str, Any], address: str, names: Collection[str]
) -> bool:
    if address:
        return bool(re.match(rf"{re.escape(address)}($|[.\[])", resource.get("module", "")))
    attributes = instance.get("attributes") or {}
    return any(attributes.get(key) in names for key in _NAMES)


def _address(resource: dict[str, Any], instance: dict[str, Any]) -> str:
    parts = [resource["module"]] if "module" in resource else []
    parts += ["data"] if resource.get("mode") == "data" else []
    address = ".".join([*parts, resource["type"], resource["name"]])
    key = instance.get("index_key")
    return address if key is None else f"{address}[{json.dumps(key)}]"


def release(terraform: Terraform, state: ForeignState, folder: Path) -> Path:
    """Remove the module's resources from the other state; a copy of it is kept first, 0600.

    Args:
        terraform: in the folder of that state.
        state: what it has.
        folder: where the copy is kept.

    Returns:
        The copy.

    Raises:
        EngineError: the copy cannot be written, or the state cannot be changed.
    """
    copy = folder / time.strftime("released-%Y%m%dT%H%M%SZ.tfstate", time.gmtime())
    try:
        write_atomically(copy, terraform.pull().encode())
    except OSError as error:
        raise EngineError(
            f"the copy of the state cannot be written: {error.strerror}", where=str(copy)
        ) from error
    terraform.forget(*state.addresses)
    return copy
