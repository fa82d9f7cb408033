"""Change sets: what an update, or the creation of a stack, would change.

Source: CloudFormation API Reference, ResourceChange, ResourceChangeDetail; recorded answers.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.sandbox import resources
from orchestrator.sandbox.stacks import Resource, Stack
from orchestrator.sandbox.state import PARTITION
from orchestrator.sandbox.template import TemplateScope
from orchestrator.sandbox.template_parameters import is_stored
from orchestrator.sandbox.template_references import Reference, references

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a"
    " change set."
)
# The parts of a resource that a change set compares, and what a detail calls them.
_PARTS = ("Metadata", "DeletionPolicy", "UpdateReplacePolicy")


@dataclass
class ChangeSet:
    """A change set of a stack.

    Attributes:
        template: the template that it would set, with its ``parameters`` and ``tags``.
        settings: further parameters of CreateChangeSet.
        changes: what it would change, as the API says it, with the properties' values.
    """

    name: str
    stack_id: str
    type: str
    template: str
    parameters: dict[str, str]
    tags: list[dict[str, str]]
    settings: dict[str, Any]
    changes: list[dict[str, Any]] = field(default_factory=list)
    status: str = "CREATE_COMPLETE"
    execution: str = "AVAILABLE"
    reason: str = ""
    id: str = ""
    created: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        region, account_id = self.stack_id.split(":")[3:5]
        self.id = self.id or (
            f"arn:{PARTITION}:cloudformation:{region}:{account_id}:changeSet/{self.name}"
            f"/{uuid.uuid4()}"
        )

    def fail(self, reason: str) -> None:
        """Mark the change set as failed: it could not be created."""
        self.status, self.execution, self.reason = "FAILED", "UNAVAILABLE", reason


def changes(stack: Stack, body: str, parameters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the changes of a stack's resources that a template and parameters would make."""
    after = stack.scope(body, parameters, planning=True)
    wanted = after.ordered_resources()
    before = None
    if stack.template:
        before = stack.present_scope()
    found = []
    for name, declared in wanted.items():
        known = stack.resources.get(name)
        if known is None or before is None:
            found.append(_addition(name, declared, after))
        elif change := _modification(known, before, after, declared):
            found.append(change)
            # What others get from it is known after the change only.
            if change["Replacement"] == "True":
                del after.created[name]
            else:
                after.created[name] = {"Ref": known.physical_id}
    yield from sorted(found, key=lambda change: str(change["LogicalResourceId"]))
    for name in sorted(stack.resources.keys() - wanted.keys()):
        known = stack.resources[name]
        yield {
            "Action": "Remove",
            "LogicalResourceId": name,
            "PhysicalResourceId": known.physical_id,
            "PolicyAction": "Delete" if known.deletion_policy == "Delete" else "Retain",
            "ResourceType": known.type,
            "Scope": [],
            "Details": [],
            "BeforeContext": _context(known.properties),
        }


def _addition(name: str, declared: Mapping[str, Any], after: TemplateScope) -> dict[str, Any]:
    return {
        "Action": "Add",
        "LogicalResourceId": name,
        "ResourceType": declared["Type"],
        "Scope": [],
        "Details": [],
        "AfterContext": _context(after.resolve(declared.get("Properties", {}))),
    }


def _context(properties: Mapping[str, Any]) -> str:
    return json.dumps({"Properties": properties}, separators=(",", ":"))


def _modification(
    known: Resource, before: TemplateScope, after: TemplateScope, declared: Mapping[str, Any]
) -> dict[str, Any] | None:
    former = before.template["Resources"][known.logical_id]
    old, new = (
        scope.resolve(member.get("Properties", {}))
        for scope, member in ((before, former), (after, declared))
    )
    changed = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    parts = [p for p in _PARTS if before.resolve(former.get(p)) != after.resolve(declared.get(p))]
    if not changed and not parts:
        return None
    recreated = resources.find()[known.type].replacement_properties  # it was created
    replaces = bool(recreated & set(changed))
    targets = [{"Attribute": part, "RequiresRecreation": "Never"} for part in parts]
    causes = [list(_causes(before, after, declared.get(part))) for part in parts]
    for name in changed:
        targets.append(_target(name, old, new, recreates=name in recreated))
        causes.append(list(_causes(before, after, declared.get("Properties", {}).get(name))))
    return {
        "Action": "Modify",
        "LogicalResourceId": known.logical_id,
        "PhysicalResourceId": known.physical_id,
        "ResourceType": known.type,
        "Replacement": "True" if replaces else "False",
        **({"PolicyAction": "ReplaceAndDelete"} if replaces else {}),
        "Scope": [*parts, *(["Properties"] if changed else [])],
        "Details": _details(targets, causes),
        "BeforeContext": _context(old),
        "AfterContext": _context(new),
    }


def _target(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], *, recreates: bool
) -> dict[str, Any]:
    kind = "Add" if name not in old else "Remove" if name not in new else "Modify"
    target = {
        "Attribute": "Properties",
        "Name": name,
        "RequiresRecreation": "Always" if recreates else "Never",
        "Path": f"/Properties/{name}",
        "AttributeChangeType": kind,
    }
    values = {"BeforeValue": old.get(name), "AfterValue": new.get(name)}
    return target | {
        part: value if isinstance(value, str) else json.dumps(value)
        for part, value in values.items()
        if value is not None
    }


def _causes(before: TemplateScope, after: TemplateScope, value: Any) -> Iterator[dict[str, str]]:
    """Yield why an expression has another value: a parameter, or another resource."""
    for found in dict.fromkeys(references(value)):
        if found.name in after.values:
            changed = before.values.get(found.name) != after.values[found.name]
            if changed and not is_stored(after.template, found.name):
                yield {"ChangeSource": "ParameterReference", "CausingEntity": found.name}
        elif found.name in after.template["Resources"]:
            yield _of_resource(found)


def _of_resource(found: Reference) -> dict[str, str]:
    if found.attribute:
        entity = f"{found.name}.{found.attribute}"
        return {"ChangeSource": "ResourceAttribute", "CausingEntity": entity}
    return {"ChangeSource": "ResourceReference", "CausingEntity": found.name}


def _details(
    targets: list[dict[str, Any]], causes: list[list[dict[str, str]]]
) -> list[dict[str, Any]]:
    """List the causes of each target, and then that each may be changed directly."""
    details = []
    for target, why in zip(targets, causes, strict=True):
        details += [{"Target": target, "Evaluation": "Static", **cause} for cause in why]
    for target, why in zip(targets, causes, strict=True):
        evaluation = "Dynamic" if why else "Static"
        direct = {"Evaluation": evaluation, "ChangeSource": "DirectModification"}
        details.append({"Target": target, **direct})
    return details
