"""Log the decisions on calls: who asked for what, on which resource, and how it was decided.

Of a run with exactly some policy the log tells which statements it needed.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from orchestrator.sandbox.policy import AccessRequest, Decision

KEPT = 50_000  # decisions


@dataclass(frozen=True)
class Access:
    """A decision on a request of a user or role.

    Attributes:
        caller: its ARN.
        request: the action, its resource and its condition keys.
        decision: by all policies together.
    """

    caller: str
    request: AccessRequest
    decision: Decision


class AccessLog:
    """The latest decisions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Access] = deque(maxlen=KEPT)

    def note(self, caller: str, request: AccessRequest, decision: Decision) -> None:
        """Log a decision."""
        with self._lock:
            self._kept.append(Access(caller, request, decision))

    def taken(self) -> list[dict[str, Any]]:
        """Return the logged decisions in their order, as JSON values, and forget them."""
        with self._lock:
            kept, self._kept = self._kept, deque(maxlen=KEPT)
        return [
            {
                "caller": access.caller,
                "action": access.request.action,
                "resource": access.request.resource,
                "keys": dict(access.request.context),
                "decision": access.decision,
            }
            for access in kept
        ]
