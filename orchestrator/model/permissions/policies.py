"""Turn the table of permissions into IAM policies for the chosen commands and options."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.model.permissions.scope import Condition, Scope
from orchestrator.model.permissions.table import TABLE, Step
from orchestrator.model.permissions.trust import Trust

# IAM User Guide, "IAM and AWS STS quotas"; white space does not count.
MANAGED_POLICY_CHARACTERS = 6_144


@dataclass(frozen=True)
class Permission:
    """Actions on resources: one Allow statement."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Condition = field(default_factory=dict)

    @property
    def statement(self) -> dict[str, Any]:
        """The statement as IAM has it."""
        made = {
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": _one_or_all(self.actions),
            "Resource": _one_or_all(self.resources),
        }
        return {**made, "Condition": self.condition} if self.condition else made

    @property
    def context(self) -> dict[str, str]:
        """The condition keys of a request that the statement allows."""
        return {
            key: str(value[0] if isinstance(value, list) else value)
            for keys in self.condition.values()
            for key, value in keys.items()
        }


@dataclass(frozen=True)
class PipelineRole:
    """A role for octo-tf's commands.

    Attributes:
        commands: the commands that it is for.
        policies: the documents of its managed policies by name.
        trust: who may assume it; None if that is not said: there are only policies then.
    """

    name: str
    commands: tuple[Step, ...]
    policies: Mapping[str, Mapping[str, Any]]
    trust: Mapping[str, Any] | None = None


# Which role a command is for: one reads, one changes. The state's permissions go with any.
_ROLES: Mapping[str, tuple[Step, ...]] = {
    "plan": ("plan", "verify"),
    "apply": ("apply", "upgrade", "destroy", "adopt"),
    "backend": ("backend",),
}


def pipeline_roles(
    scope: Scope, steps: Collection[Step], *, name: str, trust: Trust | None = None
) -> list[PipelineRole]:
    """Return the roles for commands: ``name-plan`` reads, ``name-apply`` changes something."""
    found = []
    for role, commands in _ROLES.items():
        wanted = tuple(command for command in commands if command in steps)
        documents = policies(f"{name}-{role}", permissions(scope, wanted))
        trusted = (
            trust.document(role, account=scope.account, partition=scope.partition)
            if trust and role != "backend"
            else None
        )
        if documents:
            found.append(PipelineRole(f"{name}-{role}", wanted, documents, trusted))
    return found


def permissions(scope: Scope, steps: Collection[Step]) -> list[Permission]:
    """List what commands need in an account, in the table's order."""
    found = []
    for entry in TABLE:
        needed = [c for c in entry.calls if not c.steps.isdisjoint(steps) and c.case.holds(scope)]
        actions = sorted({action for calls in needed for action in calls.actions})
        if actions and (arns := entry.on.arns(scope)):
            condition = entry.limit.condition(scope)
            found.append(Permission(entry.sid, tuple(actions), tuple(arns), condition))
    return found


def policies(name: str, wanted: Iterable[Permission]) -> dict[str, dict[str, Any]]:
    """Return managed policies of at most IAM's size, by name; numbered if there are several."""
    documents = [_document(statements) for statements in _parts(wanted)]
    if len(documents) == 1:
        return {name: documents[0]}
    return {f"{name}-{number}": document for number, document in enumerate(documents, start=1)}


def size(document: Mapping[str, Any]) -> int:
    """Count a policy's characters as IAM does: without white space."""
    return len("".join(json.dumps(document, separators=(",", ":")).split()))


def _parts(wanted: Iterable[Permission]) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    for statement in (one.statement for permission in wanted for one in _fitting(permission)):
        if part and size(_document([*part, statement])) > MANAGED_POLICY_CHARACTERS:
            yield part
            part = []
        part.append(statement)
    if part:
        yield part


def _fitting(permission: Permission) -> Iterator[Permission]:
    """Yield a permission, halved by its resources until each part fits a policy."""
    count = len(permission.resources)
    if count == 1 or size(_document([permission.statement])) <= MANAGED_POLICY_CHARACTERS:
        yield permission
        return
    for letter, resources in zip(
        "AB",
        (permission.resources[: count // 2], permission.resources[count // 2 :]),
        strict=True,
    ):
        yield from _fitting(replace(permission, sid=permission.sid + letter, resources=resources))


def _document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _one_or_all(values: tuple[str, ...]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)
