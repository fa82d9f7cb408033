"""What every kind of test shares."""

from __future__ import annotations

import signal


def pytest_sessionstart() -> None:
    """Give signals their effect although a background job or nohup ignores them.

    Child processes inherit what is ignored, and octo-tf leaves an ignored signal ignored.
    """
    for kind, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGTERM, signal.SIG_DFL),
    ):
        if signal.getsignal(kind) is signal.SIG_IGN:
            signal.signal(kind, handler)
