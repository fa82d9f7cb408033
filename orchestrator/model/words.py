"""What sentences say of several things: how many there are, and what the first of them are."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """Put a number of things into words: ``1 account``, ``2 accounts``.

    Args:
        many: what more than one are called; by default ``one`` with an s.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def listed(things: Sequence[str], most: int, separator: str = ", ") -> str:
    """Name the first of several things and count the rest: ``a, b and 3 more``."""
    left = len(things) - most
    also = f"{separator.rstrip(', ')} and {left} more" if left > 0 else ""
    return separator.join(things[:most]) + also
