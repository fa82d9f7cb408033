"""One file per simulated AWS service, found by its place.

Each has ``SERVICE`` (its signing name) and ``OPERATIONS``: names of API operations and the
functions that answer them, ``(world, call) -> result``. A function may return ``TO_MOTO`` to let
moto answer after all; operations that are not listed go to moto.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from orchestrator.sandbox.discovery import submodules
from orchestrator.sandbox.wire import Call
from orchestrator.sandbox.world import World

TO_MOTO: Final = object()
Operation = Callable[[World, Call], Any]


@cache
def find() -> dict[str, dict[str, Operation]]:
    """Every service's operations, by signing name; a large service has several files."""
    found: dict[str, dict[str, Operation]] = {}
    for module in submodules(__name__):
        found.setdefault(module.SERVICE, {}).update(module.OPERATIONS)
    return found
