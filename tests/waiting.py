"""Waiting in tests: for a condition, never for a fixed time, which a busy machine may exceed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, *, seconds: float = 120.0) -> T:
    """Call a condition until its answer is true, and return the answer.

    Args:
        condition: called every 20 ms; an exception of it ends the wait.
        what: what is waited for, for the failure's message.
        seconds: after how long the wait fails; generous, for busy machines.

    Raises:
        AssertionError: the condition did not become true; the message has its last answer.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}: {answer!r}"
        time.sleep(0.02)
    return answer
