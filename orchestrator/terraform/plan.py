"""A plan as a value: what Terraform would do, and the file that holds the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
class ResourceValues:
    """A managed resource's values, as a saved plan has them.

    Attributes:
        action: Terraform's word for the change; ``noop`` for none.
        applied: what was applied last, as the state had it; None if the state does not have it.
        before: what AWS has; None if there is none.
        after: what it is to be, as far as it is known; None if it is to go.
        unknown: attributes that are known after the apply only.
        sensitive: attributes that must not be shown, in whole or in part.
    """

    address: str
    type: str
    action: str
    applied: Mapping[str, Any] | None = field(repr=False)
    before: Mapping[str, Any] | None = field(repr=False)
    after: Mapping[str, Any] | None = field(repr=False)
    unknown: frozenset[str] = frozenset()
    sensitive: frozenset[str] = frozenset()


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
        resources: the values of every managed resource, changed or not; where the plan was read
            back from its file.
        outputs_applied: the root's outputs as they were applied last; where the plan was read back.
    """

    file: Path
    changes: tuple[PlannedChange, ...]
    has_changes: bool
    undestroyable: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    resources: tuple[ResourceValues, ...] = field(default=(), repr=False)
    outputs_applied: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def planned(self) -> dict[str, Mapping[str, Any]]:
        """What each resource is to be, by address, as far as it is known before the apply."""
        return {resource.address: resource.after or {} for resource in self.resources}

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
        change, action = resource["change"], _action(resource)
        if action not in ("noop", "read"):
            changes.append(
                PlannedChange(
                    resource["address"],
                    resource["type"],
                    action,
                    resource.get("action_reason", ""),
                    bool(change.get("importing")),
                )
            )
    outputs = document.get("output_changes", {})
    outputs_change = any(change["actions"] != ["no-op"] for change in outputs.values())
    return Plan(
        file,
        tuple(changes),
        bool(changes) or outputs_change,
        inputs={name: v.get("value") for name, v in document.get("variables", {}).items()},
        resources=tuple(_values(document)),
        outputs_applied={name: change.get("before") for name, change in outputs.items()},
    )


def _action(resource: Mapping[str, Any]) -> str:
    """Return the one word of the event stream for a resource's actions."""
    change = resource["change"]
    actions = tuple(change["actions"])
    # An unknown one is kept: the guard refuses it.
    action = _ACTIONS.get(actions, "+".join(actions))
    if action in ("noop", "read") and change.get("importing"):
        return "import"
    if action == "noop" and resource.get("previous_address"):
        return "move"
    return action


def _values(document: Mapping[str, Any]) -> Iterator[ResourceValues]:
    """Yield each managed resource's values; ``resource_drift`` has the state's own.

    Drift is computed after moves: both lists have a moved resource at its new address.
    """
    drift = {r["address"]: r["change"].get("before") for r in document.get("resource_drift", [])}
    for resource in document.get("resource_changes", []):
        if resource.get("mode", "managed") != "managed":
            continue
        change, address = resource["change"], resource["address"]
        before = change.get("before")
        yield ResourceValues(
            address,
            resource["type"],
            _action(resource),
            drift.get(address, None if change.get("importing") else before),
            before,
            change.get("after"),
            _marked(change.get("after_unknown")),
            _marked(change.get("before_sensitive")) | _marked(change.get("after_sensitive")),
        )


def _marked(marks: Any) -> frozenset[str]:
    """Return the attributes that are marked, in whole or in part."""

    def is_marked(mark: Any) -> bool:
        inner = mark.values() if isinstance(mark, dict) else mark if isinstance(mark, list) else ()
        return mark is True or any(map(is_marked, inner))

    found = marks.items() if isinstance(marks, dict) else ()
    return frozenset(name for name, mark in found if is_marked(mark))
