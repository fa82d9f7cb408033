"""Three-valued logic: true, false, or dependent on condition keys whose values are unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Truth:
    """Whether something holds.

    Attributes:
        value: None if it depends on ``keys``.
        keys: the condition keys that it depends on, in lower case.
    """

    value: bool | None
    keys: frozenset[str] = frozenset()

    def __invert__(self) -> Truth:
        return self if self.value is None else Truth(not self.value)


TRUE, FALSE = Truth(True), Truth(False)


def depends(*keys: str) -> Truth:
    """Return the truth of what depends on keys."""
    return Truth(None, frozenset(keys))


def every(truths: Iterable[Truth]) -> Truth:
    """Tell whether all hold; true if there are none."""
    return ~some(~truth for truth in truths)


def some(truths: Iterable[Truth]) -> Truth:
    """Tell whether one holds; false if there are none."""
    keys: frozenset[str] = frozenset()
    is_open = False
    for truth in truths:
        if truth.value:
            return TRUE
        if truth.value is None:
            is_open, keys = True, keys | truth.keys
    return Truth(None, keys) if is_open else FALSE
