"""What every kind of test shares."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator

import pytest

# Their tests take minutes and share checkpoints of a module: pytest-randomly shuffles
# the others only.
IN_ORDER = {"tests/e2e", "tests/faults", "tests/module"}
_NUMBER, _numbers = pytest.StashKey[int](), itertools.count()


def pytest_sessionstart() -> None:
    """Give signals their effect although a background job or nohup ignores them.

    Child processes inherit what is ignored, and octo-tf leaves an ignored signal ignored.
    """
    for kind, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGTERM, signal.SIG_DFL),
    ):
        if signal.getsignal(kind) is signal.SIG_IGN:
            signal.signal(kind, handler)


def pytest_itemcollected(item: pytest.Item) -> None:
    item.stash[_NUMBER] = next(_numbers)


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Puts the tests that build on each other behind the others, as they were collected.

    pytest-randomly's wrapper is the outer one: it has shuffled by now.
    """
    ordered = [item for item in items if "/".join(item.nodeid.split("/")[:2]) in IN_ORDER]
    in_order = set(ordered)
    shuffled = [item for item in items if item not in in_order]
    items[:] = [*shuffled, *sorted(ordered, key=lambda item: item.stash[_NUMBER])]
    return (yield)
