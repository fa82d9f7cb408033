"""What every kind of test shares."""

from __future__ import annotations

import signal

import pytest

# Their tests take minutes, and those of a module build on each other: pytest-randomly shuffles
# the others only.
IN_ORDER = {"tests/e2e", "tests/faults", "tests/module"}


def pytest_sessionstart() -> None:
    """Interrupts work although a shell ignores them in its background jobs: children inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the tests that build on each other behind the others, as they are written."""
    ordered = {id(i): i for i in items if "/".join(i.nodeid.split("/")[:2]) in IN_ORDER}
    shuffled = [item for item in items if id(item) not in ordered]
    items[:] = [*shuffled, *sorted(ordered.values(), key=lambda i: (i.path, i.location[1] or 0))]
