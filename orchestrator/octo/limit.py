"""Limit the number of calls per second, for all threads together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class Limit:
    """Allow at most ``calls`` in any window of ``seconds``; a call that comes too early waits."""

    def __init__(
        self,
        calls: int,
        seconds: float = 1.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = calls
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._passed: deque[float] = deque(maxlen=calls)
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return as soon as one more call may be made."""
        with self._lock:
            now = self._clock()
            turn = now
            if len(self._passed) == self._calls:
                turn = max(now, self._passed[0] + self._seconds)
            self._passed.append(turn)  # taken before sleeping: the next one queues behind it
        if turn > now:
            self._sleep(turn - now)
