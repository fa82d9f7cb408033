"""A verification beside the plan: where the plan then changes nothing, it is already done.

A plan takes Terraform seconds that octo-tf would only wait for. What was applied last is in the
local state, so it can be verified meanwhile. The result counts only if the plan changes nothing,
the outputs are still those, and everything passed; else the usual verification follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from orchestrator.errors import ExitCode
from orchestrator.verify.model import Report

Outcome = Callable[[Mapping[str, Any]], Report | None]


@contextmanager
def beside(
    known: Mapping[str, Any], look: Callable[[Mapping[str, Any]], Report]
) -> Iterator[Outcome]:
    """Looks while the block runs.

    Args:
        known: the outputs of what was applied last; empty looks at nothing.
        look: verifies by outputs; its errors only mean that the usual verification follows.

    Yields:
        What gives the report for the outputs as they are after all; None where it does not count.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        looking: Future[Report] | None = pool.submit(look, known) if known else None

        def outcome(values: Mapping[str, Any]) -> Report | None:
            if looking is None or values != known or looking.exception() is not None:
                return None
            report = looking.result()
            return report if report.exit_code is ExitCode.DONE else None

        yield outcome
