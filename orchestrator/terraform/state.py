"""What Terraform's state says of itself and of its resources."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

# Types of the module's resources. A StackSet has one resource more for each target.
REPORT = "aws_cur_report_definition"
BUCKET = "aws_s3_bucket"  # its settings are resources whose types begin with it
STACKSET = "aws_cloudformation_stack_set"
TARGET = "aws_cloudformation_stack_set_instance"


@dataclass(frozen=True)
class StateVersion:
    """Which state it is: ``lineage`` names its whole life, ``serial`` counts its changes."""

    lineage: str
    serial: int


@dataclass(frozen=True)
class StateResource:
    """A resource instance of the state.

    Attributes:
        key: its ``for_each`` key or index; empty if it has none.
        tainted: whether its creation failed partially, so that Terraform would replace it.
        arn: its ARN; empty for types without one.
    """

    type: str
    address: str
    key: str
    tainted: bool
    arn: str

    @property
    def region(self) -> str:
        """The region in its ARN; empty where it has none."""
        return self.arn.split(":")[3] if self.arn else ""


NO_STATE = StateVersion("", 0)


@dataclass(frozen=True)
class StateEdit:
    """A change of the state that must come before a plan; nothing in AWS changes by it.

    Attributes:
        kind: ``untaint`` keeps a resource that Terraform would replace; ``forget`` removes it from
            the state only; ``set_aside`` renames an unreadable state file; ``push`` saves a state
            file in the backend that Terraform could not save there.
        address: the resource instance, or the file's name in the root folder.
    """

    kind: Literal["untaint", "forget", "set_aside", "push"]
    address: str


def resources_of(text: str, types: Collection[str]) -> list[StateResource]:
    """List the resources of some types in a state's JSON text; without types, all it manages.

    A damaged text has none: the next Terraform command reports the damage with its place.
    """
    if types and not any(f'"{name}"' in text for name in types):
        return []
    try:
        document = json.loads(text[text.index("{") :])
    except ValueError:
        return []
    return [
        StateResource(
            resource["type"],
            address_of(resource, instance),
            str(instance.get("index_key", "")),
            instance.get("status") == "tainted",
            str(instance.get("attributes", {}).get("arn") or ""),
        )
        for resource in document.get("resources", [])
        if resource["type"] in types or (not types and resource["mode"] == "managed")
        for instance in resource["instances"]
    ]


def edited(text: str, edits: Collection[StateEdit]) -> str:
    """Edit resources in a state's JSON, as ``terraform untaint`` and ``state rm`` would.

    No state (an empty text) stays none; edits of files are not made here.
    """
    kinds = {e.address: e.kind for e in edits if e.kind in ("untaint", "forget")}
    if not text or not kinds:
        return text
    document = json.loads(text)
    for resource in document["resources"]:
        kept = []
        for instance in resource["instances"]:
            kind = kinds.get(address_of(resource, instance))
            if kind == "untaint":
                instance.pop("status", None)
            if kind != "forget":
                kept.append(instance)
        resource["instances"] = kept
    document["resources"] = [r for r in document["resources"] if r["instances"]]
    return json.dumps(document)


def address_of(resource: dict[str, Any], instance: dict[str, Any]) -> str:
    """Give the address of a resource instance, as Terraform writes it."""
    parts = [resource["module"]] if "module" in resource else []
    parts += ["data"] if resource.get("mode") == "data" else []
    address = ".".join([*parts, resource["type"], resource["name"]])
    key = instance.get("index_key")
    return address if key is None else f"{address}[{json.dumps(key)}]"
