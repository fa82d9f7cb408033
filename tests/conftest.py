"""What every kind of test shares."""

from __future__ import annotations

import pickle
import signal
from collections import Counter
from functools import cache
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader

# Seconds for one test without a run of Terraform: ten times what the longest one takes.
_QUICK = frozenset({"contract", "unit", "web"})
_QUICK_SECONDS = 300


def _parse_once() -> None:
    """Parse each of botocore's files once: nearly every test makes sessions of its own.

    Each session gets a copy, since octo-tf and the sandbox change what they have loaded.
    """
    parse = JSONFileLoader().load_file
    pickled = cache(lambda path: pickle.dumps(parse(path)))
    JSONFileLoader.load_file = lambda _, path: pickle.loads(pickled(path))


def pytest_configure() -> None:
    _parse_once()


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


@pytest.hookimpl(trylast=True)  # after these were put in another order
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the end-to-end tests first, and of their files the one with the most tests.

    A worker takes a whole file. The quick files are left for whichever worker is free.
    Tests of a case of the field carry its name, to be counted.
    """
    for item in items:
        names = [str(name) for mark in item.iter_markers("case") for name in mark.args]
        item.user_properties += [("case", name) for name in names]
        if _QUICK & {*item.path.parts} and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_QUICK_SECONDS))  # a test that hangs costs no more
    size = Counter(item.path for item in items)
    items.sort(key=lambda item: -size[item.path] if "e2e" in item.path.parts else 0)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what tests counted: ``record_property("counted", "what and how many")``, and cases."""
    noted = [
        (name, str(value))
        for report in terminalreporter.stats.get("passed", [])
        for name, value in getattr(report, "user_properties", ())
    ]
    counted = {value for name, value in noted if name == "counted"}
    if cases := {value for name, value in noted if name == "case"}:
        counted.add(f"cases of the field: {len(cases)}: {', '.join(sorted(cases))}")
    for line in sorted(counted):
        terminalreporter.write_line(line)
