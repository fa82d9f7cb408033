"""The terminal: events as lines on stderr, with a spinner where somebody watches.

A pipeline's log gets a line for each step, and a last line; a terminal, or --verbose, gets the
progress within a step too.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any, TextIO

from orchestrator.app import events
from orchestrator.errors import ExitCode
from orchestrator.model.module_contract.addresses import in_its_module
from orchestrator.model.words import counted
from orchestrator.ui.folding import fitting

if TYPE_CHECKING:
    from rich.status import Status

_DONE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "read": "read",
}
_ENDS = {
    ExitCode.DONE: "done",
    ExitCode.ERROR: "failed",
    ExitCode.CHANGES: "there are changes",
    ExitCode.VERIFICATION_FAILED: "verification failed",
    ExitCode.VERIFICATION_PENDING: "verification pending",
    ExitCode.REFUSED: "refused",
    ExitCode.USAGE: "wrong usage",
    ExitCode.INTERRUPTED: "interrupted",
}
_NEXT = {
    ExitCode.CHANGES: "octo-tf apply",
    ExitCode.VERIFICATION_FAILED: "fix what fails, then octo-tf verify",
    ExitCode.VERIFICATION_PENDING: "octo-tf verify --wait 24h",
    ExitCode.INTERRUPTED: "run the same command again",
}
_NEXT_OF = {  # where it is another step, or only some commands have one
    ("doctor", ExitCode.DONE): "octo-tf plan",
    ("preflight", ExitCode.DONE): "octo-tf plan",
    ("apply", ExitCode.DONE): "octo-tf status",
    ("adopt", ExitCode.DONE): "octo-tf status",
    ("upgrade", ExitCode.DONE): "octo-tf accounts",
    ("destroy", ExitCode.DONE): "octo-tf discover",
    ("preflight", ExitCode.VERIFICATION_FAILED): "fix what fails, then octo-tf preflight",
    ("status", ExitCode.CHANGES): "carry out the steps that octo-tf status lists",
    ("render", ExitCode.CHANGES): "octo-tf render",
    ("console", ExitCode.VERIFICATION_PENDING): "octo-tf console",
    ("console update", ExitCode.VERIFICATION_PENDING): "octo-tf console update, once the stack is"
    " updated",
    ("destroy", ExitCode.VERIFICATION_PENDING): "octo-tf destroy, once the stacks are deleted",
    ("rotate-external-id", ExitCode.VERIFICATION_FAILED): "octo-tf rotate-external-id",
    ("rotate-external-id", ExitCode.VERIFICATION_PENDING): "octo-tf rotate-external-id",
}
_SPINNER_COLUMNS = 3  # the spinner, a space, and the last column: text in it would wrap
_FAILURES_SHOWN = 10  # of a StackSet's accounts; `octo-tf stackset status` shows all


class Terminal:
    """A consumer of events.

    Args:
        verbose: print the progress within a step although stderr is no terminal.
        stream: where lines go; None for stderr.
    """

    def __init__(
        self, *, verbose: bool = False, color: bool = True, stream: TextIO | None = None
    ) -> None:
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()
        self._is_watched = self._is_terminal or verbose
        self._color = color
        self._spinner: Status | None = None
        self._title = ""
        self._running: dict[str, float] = {}
        self._has_changes = False
        self._accounts: Counter[str] = Counter()
        self._failed: set[str] = set()

    def __call__(self, event: events.Event) -> None:
        """Show an event."""
        self._show(event)

    @singledispatchmethod
    def _show(self, _event: Any) -> None:
        """Questions, plans, reports and results are the command's own to show."""

    @_show.register
    def _(self, event: events.StepStarted) -> None:
        self._title = event.title
        if self._is_terminal:
            # rich takes 50 ms to load: only where its spinner is seen.
            from rich.console import Console

            console = Console(file=self._stream, no_color=not self._color)
            self._spinner = console.status(event.title)
            self._spinner.start()

    @_show.register
    def _(self, _event: events.Asked) -> None:
        if self._spinner:  # it would overwrite the question
            self._spinner.stop()
            self._spinner = None

    @_show.register
    def _(self, event: events.StepEnded) -> None:
        if self._spinner:
            self._spinner.stop()
            self._spinner = None
        if not event.failed:
            slow = event.seconds > 1
            self._print(f"{event.title}: {event.seconds:.1f} s" if slow else event.title)

    @_show.register
    def _(self, event: events.ResourceProgress) -> None:
        name = in_its_module(event.address)
        if event.stage in ("complete", "errored"):
            self._running.pop(name, None)
            done = _DONE.get(event.action, event.action)
            if event.stage == "errored":
                self._say(f"  failed {name} ({event.seconds:.0f} s)")
            elif event.action != "read":
                self._say(f"  {done} {name} ({event.seconds:.0f} s)")
        else:
            self._running[name] = event.seconds
        longest = sorted(self._running.items(), key=lambda item: -item[1])
        self._update(*(f"{n} {seconds:.0f} s" for n, seconds in longest))

    @_show.register
    def _(self, event: events.LinkedAccountsProgress) -> None:
        counts = Counter(status.lower() for status, _ in event.accounts.values())
        if not counts or counts == self._accounts:
            return
        self._accounts = counts
        self._name_failures(event.accounts)
        rest = [f"{n} {status}" for status, n in sorted(counts.items()) if status != "succeeded"]
        done = f"{counts['succeeded']} of {counted(len(event.accounts), 'account')}"
        if self._spinner:
            self._update(done, *rest)
        else:
            self._say(f"  {', '.join([done, *rest])}")

    @_show.register
    def _(self, event: events.Note) -> None:
        self._say(event.text)

    @_show.register
    def _(self, event: events.Warned) -> None:
        self._print(event.text)

    @_show.register
    def _(self, event: events.PlanMade) -> None:
        self._has_changes = event.review.has_changes

    @_show.register
    def _(self, event: events.Ended) -> None:
        code = ExitCode(event.exit_code)
        following = _NEXT_OF.get((event.command, code)) or _NEXT.get(code, "")
        if code is ExitCode.DONE and event.command == "plan" and self._has_changes:
            following = _NEXT[ExitCode.CHANGES]
        then = f" Next: {following}." if following else ""
        self._print(f"octo-tf {event.command}: {_ENDS[code]} after {event.seconds:.1f} s.{then}")

    def _name_failures(self, accounts: Mapping[str, tuple[str, str]]) -> None:
        for account_id, (status, reason) in accounts.items():
            if status == "FAILED" and account_id not in self._failed:
                self._failed.add(account_id)
                if len(self._failed) <= _FAILURES_SHOWN:
                    self._say(f"  account {account_id} failed: {reason}")

    def _update(self, *details: str) -> None:
        """Show as many details as fit the spinner's line: a second line would stay behind."""
        if self._spinner is None:
            return
        text = self._title
        for detail in details:
            longer = f"{text}{' ' if text == self._title else ', '}{detail}"
            if len(longer) > self._spinner.console.width - _SPINNER_COLUMNS:
                break
            text = longer
        self._spinner.update(text)

    def _say(self, sentence: str) -> None:
        """Print a line if anyone watches."""
        if self._is_watched:
            self._print(sentence)

    def _print(self, sentence: str) -> None:
        if self._is_terminal:
            sentence = fitting(sentence)
        if self._spinner:  # above the spinner, not into it
            self._spinner.console.print(sentence, markup=False, highlight=False, soft_wrap=True)
        else:
            print(sentence, file=self._stream, flush=True)
