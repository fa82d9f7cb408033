"""What a person sees while they wait: on stderr, and silent when nobody is watching."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from orchestrator.terraform.events import Event, ResourceProgress

if TYPE_CHECKING:
    from rich.status import Status

_DONE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "read": "read",
}
_FAILURES_SHOWN = 10  # of a StackSet's accounts; `octo-tf stackset status` shows all


class Progress:
    """Steps and resources on stderr.

    On a terminal a spinner tells what is under way. Elsewhere nothing is printed unless
    ``verbose``, and then one plain line for each step and resource. ``color`` says whether
    colours are wanted, here and in reports.
    """

    def __init__(
        self, *, verbose: bool = False, color: bool = True, stream: TextIO | None = None
    ) -> None:
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._on = self._terminal or verbose
        self.color = color
        self._status: Status | None = None
        self._running: dict[str, float] = {}
        self._title = ""
        self._accounts: Counter[str] = Counter()
        self._failed: set[str] = set()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step of the route; its time is shown when it took over a second."""
        started = time.monotonic()
        self._title = title
        if self._terminal:
            # rich takes 50 ms to load: only where its spinner is seen.
            from rich.console import Console

            console = Console(file=self._stream, no_color=not self.color)
            with console.status(title) as self._status:
                try:
                    yield
                finally:
                    self._status = None
        else:
            yield
        seconds = time.monotonic() - started
        self.say(f"{title}: {seconds:.1f} s" if seconds > 1 else title)

    def event(self, event: Event) -> None:
        """Shows a resource's way through Terraform."""
        if not isinstance(event, ResourceProgress):
            return
        name = event.address.removeprefix("module.octo.")
        if event.stage == "complete":
            self._running.pop(name, None)
            if event.action != "read":
                done = _DONE.get(event.action, event.action)
                self.say(f"  {done} {name} ({event.elapsed:.0f} s)")
        elif event.stage == "errored":
            self._running.pop(name, None)
            self.say(f"  failed {name} ({event.elapsed:.0f} s)")
        else:
            self._running[name] = event.elapsed
        if self._status:
            longest = sorted(self._running.items(), key=lambda item: -item[1])
            shown = ", ".join(f"{n} {seconds:.0f} s" for n, seconds in longest[:3])
            self._status.update(f"{self._title} {shown}")

    def accounts(self, results: Mapping[str, tuple[str, str]]) -> None:
        """How far a StackSet's operation has got, when that has changed; and who failed, and why.

        Args:
            results: each account's status and, where it failed, the reason.
        """
        counts = Counter(status.lower() for status, _ in results.values())
        if not results or counts == self._accounts:
            return
        self._accounts = counts
        for account_id, (status, reason) in results.items():
            if status == "FAILED" and account_id not in self._failed:
                self._failed.add(account_id)
                if len(self._failed) <= _FAILURES_SHOWN:
                    self.say(f"  account {account_id} failed: {reason}")
        rest = [f"{n} {status}" for status, n in sorted(counts.items()) if status != "succeeded"]
        sentence = ", ".join([f"{counts['succeeded']} of {len(results)} accounts", *rest])
        if self._status:
            self._status.update(f"{self._title} {sentence}")
        else:
            self.say(f"  {sentence}")

    def say(self, sentence: str) -> None:
        """One line, if anyone is watching."""
        if self._on:
            self.warn(sentence)

    def warn(self, sentence: str) -> None:
        """One line that matters even when nobody is watching."""
        if self._status:  # above the spinner, not into it
            self._status.console.print(sentence, markup=False, highlight=False, soft_wrap=True)
        else:
            print(sentence, file=self._stream, flush=True)
