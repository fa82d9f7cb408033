"""Waiting in tests: for what becomes true, never for a time that only a quiet machine keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, *, seconds: float = 120.0) -> T:
    """Ask until the answer is true, and return it.

    Args:
        condition: is called every 20 ms; what it raises ends the wait.
        what: is waited for, in words.
        seconds: end the wait with a failure: generous, since a busy machine must not reach them.

    Raises:
        AssertionError: the time is over; with the last answer.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}: {answer!r}"
        time.sleep(0.02)
    return answer
