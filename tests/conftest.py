"""What every kind of test shares."""

from __future__ import annotations

import signal


def pytest_sessionstart() -> None:
    """Interrupts work although a shell ignores them in its background jobs: children inherit it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
