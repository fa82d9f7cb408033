"""One way to stop a run: Ctrl-C, SIGTERM, SIGHUP, or another thread that drives it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP

Listener = Callable[[int], None]


class Cancellation:
    """A request to stop that any thread may make and every wait of a run notices.

    A listener passes the request on to a child process, which then finishes what it is doing;
    everything else ends by KeyboardInterrupt.
    """

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._count = 0
        self._listeners: list[Listener] = []

    @property
    def requested(self) -> bool:
        """Whether somebody asked to stop."""
        return self._requested.is_set()

    def request(self) -> None:
        """Ask the run to stop; each listener gets the number of requests so far."""
        self._count += 1
        self._requested.set()
        for listener in [*self._listeners]:
            listener(self._count)

    def check(self) -> None:
        """Go on, unless somebody asked to stop.

        Raises:
            KeyboardInterrupt: somebody did.
        """
        if self.requested:
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Wait; a request to stop ends the wait at once.

        Raises:
            KeyboardInterrupt: somebody asked to stop.
        """
        self._requested.wait(seconds)
        self.check()

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Hand requests to ``listener`` during the block instead of interrupting the main thread.

        The block ends normally; its caller decides with ``check`` how to go on. A Ctrl-C is a
        request during the block although ``on_signals`` was not called.
        """
        handler = signal.getsignal(signal.SIGINT)
        is_python = handler is signal.default_int_handler
        takes_over = is_python and threading.current_thread() is threading.main_thread()
        self._listeners.append(listener)
        try:
            if takes_over:
                signal.signal(signal.SIGINT, self._on_signal)
            yield
        finally:
            if takes_over:
                signal.signal(signal.SIGINT, handler)
            self._listeners.remove(listener)

    def on_signals(self) -> None:
        """Take SIGINT, SIGTERM and SIGHUP for requests from now on (main thread only).

        A signal that the caller ignores, as ``nohup`` and background jobs do, stays ignored.
        """
        for name in _SIGNALS:
            kind = getattr(signal, name, None)
            if kind is not None and signal.getsignal(kind) is not signal.SIG_IGN:
                signal.signal(kind, self._on_signal)

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        already_ending = self.requested and not self._listeners
        self.request()
        # A second Ctrl-C must not cut short how an interrupted run ends: it releases locks.
        if not self._listeners and not already_ending:
            raise KeyboardInterrupt
