"""Lets go of what another Terraform state holds.

The published module has a provider block inside, so its resources cannot leave a state by the
configuration (``removed`` blocks are refused); ``terraform state rm`` is the way. It destroys
nothing.
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

from orchestrator.adoption.hcl import Theirs
from orchestrator.errors import EngineError
from orchestrator.files import write_atomically
from orchestrator.terraform.client import Terraform

_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::(\d{12}):role/")
# The attributes by which a resource says what it is, or what it belongs to.
_NAMES = ("name", "role", "role_name", "bucket", "report_name", "stack_set_name")


@dataclass(frozen=True)
class Held:
    """What another state holds of the module.

    Attributes:
        addresses: those to be let go of.
        accounts: the accounts that its roles are in.
        others: how many resources besides are in it, which stay.
    """

    addresses: tuple[str, ...] = ()
    accounts: frozenset[str] = frozenset()
    others: int = 0

    @property
    def commands(self) -> list[str]:
        """What a person would type to let go of it."""
        return [shlex.join(["terraform", "state", "rm", *self.addresses])] if self.addresses else []


def held(terraform: Terraform, theirs: Theirs, names: Collection[str]) -> Held:
    """Looks into the state of somebody's folder.

    Args:
        terraform: in that folder.
        theirs: where the module is in it.
        names: the roles, buckets, reports and StackSets that adoption is about: by these the
            resources of a root are told apart from whatever else is in its state.

    Raises:
        EngineError: the state cannot be read.
    """
    try:
        text = terraform.pull()
    except EngineError as error:
        raise EngineError(
            error.what,
            where=str(theirs.folder),
            hint="Run terraform init in that folder, then the same command again.",
        ) from None
    if not text:
        return Held()
    found, others, accounts = [], 0, set()
    for resource in json.loads(text).get("resources", []):
        if resource.get("mode") != "managed" and not theirs.address:
            continue  # a root's data sources belong to nobody
        for instance in resource["instances"]:
            if not _is_theirs(resource, instance, theirs.address, names):
                others += 1
                continue
            found.append(_address(resource, instance))
            accounts |= set(_ROLE_ARN.findall(json.dumps(instance.get("attributes", {}))))
    return Held(tuple(sorted(found)), frozenset(accounts), others)


def names_in(state: str) -> frozenset[str]:
    """The names by which a state's resources are known in AWS; of a state that is none: nothing."""
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


def _is_theirs(
    resource: dict[str, Any], instance: dict[str, Any], address: str, names: Collection[str]
) -> bool:
    module = resource.get("module", "")
    if address:
        return bool(re.match(rf"{re.escape(address)}($|[.\[])", module))
    attributes = instance.get("attributes") or {}
    return any(attributes.get(key) in names for key in _NAMES)


def _address(resource: dict[str, Any], instance: dict[str, Any]) -> str:
    parts = [resource["module"]] if "module" in resource else []
    parts += ["data"] if resource.get("mode") == "data" else []
    address = ".".join([*parts, resource["type"], resource["name"]])
    key = instance.get("index_key")
    return address if key is None else f"{address}[{json.dumps(key)}]"


def let_go(terraform: Terraform, held: Held, folder: Path) -> Path:
    """Has the other state let go of what it holds; a copy of it is kept first, 0600.

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
    terraform.forget(*held.addresses)
    return copy
