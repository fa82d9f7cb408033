"""Log the calls that change something, to show what a command changed, or that it changed nothing.

A call is logged when it arrives, whether it is then carried out, denied or fails: whoever only
looks does not try to change anything either.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 10_000  # calls; the numbers go on, so that a call that was dropped is still noticed

# The AWS operations and the RPCs of Octo that only read, by the start of their names: AWS and Octo
# name all others by what they change. AssumeRole and its siblings only hand out a session.
_READS = ("AssumeRole", "Describe", "Get", "Head", "List", "Simulate", "Validate")


def only_reads(operation: str) -> bool:
    """Tell whether an operation of AWS or Octo changes nothing."""
    return operation.startswith(_READS)


@dataclass(frozen=True)
class Change:
    """A call that changes something.

    Attributes:
        number: how many such calls the sandbox has had, this one included.
        call: service and operation, such as ``iam:CreateRole`` or ``octo:RegisterAccount``.
        account: the id of the caller's account; with Octo, of the account that is changed.
    """

    number: int
    call: str
    account: str


class ChangeLog:
    """The latest calls that change something."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._kept: deque[Change] = deque(maxlen=KEPT)

    def note(self, service: str, operation: str, account: str) -> None:
        """Log a call, unless it only reads."""
        if only_reads(operation):
            return
        with self._lock:
            self._count += 1
            self._kept.append(Change(self._count, f"{service}:{operation}", account))

    def listed(self) -> list[dict[str, Any]]:
        """List the logged calls in their order, as JSON values."""
        with self._lock:
            return [asdict(change) for change in self._kept]
