"""One file per simulated AWS service, found by its place.

Each has ``SERVICE`` (its signing name) and ``OPERATIONS``: names of API operations and the
functions that answer them, ``(world, call) -> result``. A function may return ``TO_MOTO`` to let
moto answer after all; operations that are not listed go to moto.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from orchestrator.sandbox.wire import Call
from orchestrator.sandbox.world import World

TO_MOTO: Final = object()
Operation = Callable[[World, Call], Any]


@cache
def find() -> dict[str, dict[str, Operation]]:
    """Every service's operations, by signing name."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    return {module.SERVICE: module.OPERATIONS for module in modules}
