"""The AWS services that the sandbox implements: one or more modules each, discovered by name.

Each module has ``SERVICE`` (the signing name) and ``OPERATIONS``: API operations by name, each a
function ``(state, call) -> result``. moto answers the operations that are not listed, and those
whose function returns ``TO_MOTO``. A module's ``check(state, call)``, if it has one, refuses calls
of its service before that. What moto answers is corrected by two tables that a module may
have: ``AFTER``, functions ``(state, call, headers) -> None`` by operation that run when it has
succeeded, and ``TEXTS``, replacements ``(operation or "*", pattern, text)`` in the answer's body.
A call needs the permission that has its name, on one resource (``authorized_resources``); a
module's ``permissions(state, call)`` yields it on other resources, or further ones. What a service
keeps of its own is in ``state.of_service``, and ``contents(state)`` describes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from orchestrator.sandbox.discovery import submodules
from orchestrator.sandbox.state import SandboxState
from orchestrator.sandbox.wire import Call

TO_MOTO: Final = object()
Operation = Callable[[SandboxState, Call], Any]


@dataclass(frozen=True)
class Permission:
    """A permission that a call needs, on a resource, with the condition keys of that resource."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


@cache
def _named(service: str) -> list[Callable[[SandboxState, Call], Iterable[Permission]]]:
    modules = [module for module in submodules(__name__) if service == module.SERVICE]
    return [module.permissions for module in modules if hasattr(module, "permissions")]


def permissions_of(state: SandboxState, call: Call) -> list[Permission]:
    """List the permissions that the service's modules name for a call."""
    return [permission for named in _named(call.service) for permission in named(state, call)]


@cache
def _checks(service: str) -> list[Callable[[SandboxState, Call], None]]:
    modules = [module for module in submodules(__name__) if service == module.SERVICE]
    return [module.check for module in modules if hasattr(module, "check")]


def check(state: SandboxState, call: Call) -> None:
    """Refuse a call that one of the service's modules refuses.

    Raises:
        ServiceError: as AWS answers.
    """
    for checked in _checks(call.service):
        checked(state, call)


@cache
def find() -> dict[str, dict[str, Operation]]:
    """Discover the operations of every service, by signing name."""
    found: dict[str, dict[str, Operation]] = {}
    for module in submodules(__name__):
        found.setdefault(module.SERVICE, {}).update(module.OPERATIONS)
    return found
