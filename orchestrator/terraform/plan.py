"""A plan as a value: what Terraform would do, and the file that holds the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.errors import EngineError
from orchestrator.terraform.events import PlannedChange

# A resource's actions in a plan's JSON → the one word of the event stream
# (https://developer.hashicorp.com/terraform/internals/json-format#change-representation).
_ACTIONS = {
    ("no-op",): "noop",
    ("create",): "create",
    ("read",): "read",
    ("update",): "update",
    ("delete",): "delete",
    ("forget",): "remove",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
}


@dataclass(frozen=True)
class Plan:
    """A saved plan.

    Attributes:
        file: where Terraform saved it (binary, 0600: it holds the inputs).
        changes: the resources it changes, in Terraform's order.
        has_changes: whether applying it would change anything, outputs included.
        undestroyable: addresses whose destruction Terraform itself refused (``prevent_destroy``);
            such a plan was not saved.
        inputs: the root's variables by name, where the plan was read back from its file; they
            include the external id.
        planned: what each resource that is created or changed is to be, by address, as far as it
            is known before the apply; where the plan was read back from its file.
    """

    file: Path
    changes: tuple[PlannedChange, ...]
    has_changes: bool
    undestroyable: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    planned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def count(self, *actions: str) -> int:
        """Count the resources that the plan changes by one of these actions."""
        return sum(change.action in actions for change in self.changes)

    @property
    def totals(self) -> tuple[int, int, int]:
        """The numbers of resources to add, to change and to destroy, as Terraform counts them."""
        return (
            self.count("create", "replace"),
            self.count("update"),
            self.count("delete", "replace"),
        )


def from_show(file: Path, document: dict[str, Any]) -> Plan:
    """Read the plan in the document of ``terraform show -json FILE``.

    Raises:
        EngineError: the document is not a plan.
    """
    if "resource_changes" not in document and "planned_values" not in document:
        raise EngineError("is not a Terraform plan", where=str(file))
    changes = []
    for resource in document.get("resource_changes", []):
        change = resource["change"]
        actions = tuple(change["actions"])
        action = _ACTIONS.get(
            actions, "+".join(actions)
        )  # an unknown one is kept: the guard refuses it
        if action in ("noop", "read") and change.get("importing"):
            action = "import"
        elif action == "noop" and resource.get("previous_address"):
            action = "move"
        if action in ("noop", "read"):
            continue
        changes.append(
            PlannedChange(
                resource["address"],
                resource["type"],
                action,
                resource.get("action_reason", ""),
                bool(change.get("importing")),
            )
        )
    outputs = document.get("output_changes", {}).values()
    outputs_change = any(change["actions"] != ["no-op"] for change in outputs)
    return Plan(
        file,
        tuple(changes),
        bool(changes) or outputs_change,
        inputs={name: v.get("value") for name, v in document.get("variables", {}).items()},
        planned={
            resource["address"]: resource["change"].get("after") or {}
            for resource in document.get("resource_changes", [])
            if resource.get("mode", "managed") == "managed"
        },
    )
