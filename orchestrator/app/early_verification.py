"""Verify while Terraform plans, so that a run without changes need not wait for both.

A plan takes Terraform seconds that octo-tf would only wait for. What was applied last is in the
local state, so it can be verified meanwhile. The result counts only if the plan changes nothing,
the outputs are still those, and everything passed; else the usual verification follows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.errors import ExitCode
from orchestrator.verify.model import Report


class EarlyVerification:
    """A verification in a thread of its own, which begins when this is made.

    It only reads, so nobody has to wait for its end.

    Args:
        known: the outputs of what was applied last; empty verifies nothing.
        verify: verifies by outputs; its errors only mean that the usual verification follows.
    """

    def __init__(
        self, known: Mapping[str, Any], verify: Callable[[Mapping[str, Any]], Report]
    ) -> None:
        self._known = known
        self._verify = verify
        self._report: Report | None = None
        # A daemon: an interrupted or refused run ends without waiting for AWS's last answer.
        self._thread = threading.Thread(target=self._run, daemon=True)
        if known:
            self._thread.start()

    def report(self, outputs: Mapping[str, Any]) -> Report | None:
        """Return the report if the plan has left the outputs as they were; else None.

        Waits for the verification to end. None too where not everything passed, or it failed.

        Args:
            outputs: as planned.
        """
        if not self._known or outputs != self._known:
            return None
        self._thread.join()
        report = self._report
        return report if report and report.exit_code is ExitCode.DONE else None

    def _run(self) -> None:
        try:
            self._report = self._verify(self._known)
        except Exception:  # noqa: BLE001  (the usual verification meets it again, and says it)
            self._report = None
