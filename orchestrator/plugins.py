"""Things that are found by their place: each check, command or service is one file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType


def modules_in(package: ModuleType) -> Iterator[ModuleType]:
    """Import every module of a package."""
    for found in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{found.name}")
