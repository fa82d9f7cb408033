"""One file per type of resource that a stack of the sandbox can hold, found by its place.

Each has ``KIND``, a ``Kind``. Resources are made by the very functions that answer the service's
own API, or in moto's backends, so that a stack's role is a role like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from orchestrator.sandbox.authorization import authorize
from orchestrator.sandbox.discovery import submodules
from orchestrator.sandbox.wire import Call
from orchestrator.sandbox.world import Caller, World


class ResourceError(Exception):
    """A resource could not be made, changed or deleted; says so as CloudFormation does."""


@dataclass(frozen=True)
class Made:
    """A resource that is there: its physical id, which ``Ref`` gives, and its attributes."""

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Act:
    """On whose behalf, and where, a stack works.

    ``caller`` is None for CloudFormation's own role in a linked account, which may do everything.
    """

    world: World
    account_id: str
    region: str
    caller: Caller | None

    def call(self, service: str, operation: str, parameters: Mapping[str, Any], **uri: str) -> Call:
        """The API call that CloudFormation makes, allowed.

        Raises:
            Fault: the caller may not.
        """
        caller = self.caller or Caller(self.account_id, "", "role", "")
        made = Call(service, operation, self.region, caller, dict(parameters), dict(uri))
        if self.caller is not None:
            authorize(self.world, made)
        return made


@dataclass(frozen=True)
class Kind:
    """A type of resource.

    Attributes:
        type: ``AWS::IAM::Role``.
        properties: every property that the sandbox knows of it.
        replaced_by: the properties whose change makes another resource.
        create: makes it.
        update: changes it in place, to new properties.
        delete: removes it; one that is gone already is no error.
        settled: whether it is done, for what takes time.
        regions: where the type exists; None everywhere.
    """

    type: str
    properties: frozenset[str]
    replaced_by: frozenset[str]
    create: Callable[[Act, Mapping[str, Any]], Made]
    update: Callable[[Act, str, Mapping[str, Any]], Made]
    delete: Callable[[Act, str], None]
    settled: Callable[[Act, str], bool] = lambda _act, _physical_id: True
    regions: frozenset[str] | None = None


@cache
def find() -> dict[str, Kind]:
    """Every kind, by type."""
    kinds = [module.KIND for module in submodules(__name__)]
    return {kind.type: kind for kind in kinds}


def exists_already(type_: str, name: str, token: str) -> ResourceError:
    """The error for a name that is taken."""
    return ResourceError(
        f"Resource of type '{type_}' with identifier '{name}' already exists."
        f" (RequestToken: {token}, HandlerErrorCode: AlreadyExists)"
    )
