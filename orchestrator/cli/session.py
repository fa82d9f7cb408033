"""What one process of the command line shares: its event stream, and the request to stop."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from orchestrator.cancellation import Cancellation

if TYPE_CHECKING:
    from orchestrator.app.events import Events
    from orchestrator.errors import OctoTfError


@dataclass
class Session:
    """One invocation of octo-tf.

    Attributes:
        cancellation: Ctrl-C, SIGTERM and SIGHUP.
        events: the stream of the command's run; None until a command that has one made it.
    """

    cancellation: Cancellation = field(default_factory=Cancellation)
    events: Events | None = None
    command: str = ""
    color: bool = True
    started: float = field(default_factory=time.monotonic)

    @staticmethod
    def current() -> Session:
        """The session of the running command."""
        return click.get_current_context().find_object(Session) or Session()

    def end(self, exit_code: int, error: OctoTfError | None = None) -> None:
        """Report how the command ended, as the last event."""
        if self.events is None:
            return
        from orchestrator.app.events import Ended

        what, where, hint = (error.what, error.where, error.hint) if error else ("", "", "")
        seconds = round(time.monotonic() - self.started, 3)
        self.events.emit(Ended(self.command, exit_code, seconds, what, where, hint))
