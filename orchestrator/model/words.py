"""Count and list things in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun in singular or plural: ``1 account``, ``2 accounts``.

    Args:
        many: the plural; by default ``one`` with an s.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def listed(things: Sequence[str], most: int, separator: str = ", ") -> str:
    """Name at most ``most`` things and count the rest: ``a, b and 3 more``."""
    left = len(things) - most
    also = f"{separator.rstrip(', ')} and {left} more" if left > 0 else ""
    return separator.join(things[:most]) + also
