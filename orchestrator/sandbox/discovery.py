"""Import the modules of a package, so that a new service or resource type needs no list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType


def submodules(package: str) -> Iterator[ModuleType]:
    """Import every module directly inside a package, in alphabetical order."""
    path = importlib.import_module(package).__path__
    for name in sorted(info.name for info in pkgutil.iter_modules(path)):
        yield importlib.import_module(f"{package}.{name}")
