"""Within a wait for stacks, a read that fails in passing is made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.app.console.check import check
from orchestrator.app.events import Events
from orchestrator.errors import AwsError
from orchestrator.sandbox import control
from orchestrator.verify.model import Area, Status


@pytest.fixture
def failing(sandbox) -> Iterator[Callable[[str], None]]:
    """Injects an answer to the next read of stacks; it is over after the test."""

    def inject(error: str) -> None:
        fault = {"service": "cloudformation", "action": "ListStacks", "error": error, "times": 1}
        control.add_fault(sandbox.endpoint_url, {**fault, "after": 1})

    yield inject
    control.clear_faults(sandbox.endpoint_url)


def waited(account: Any, warnings: list[str]) -> Any:
    """A check that waits for the stack of API access, which is deployed meanwhile."""
    linked = account("linked-1")
    flow = linked.flow()
    events = Events(lambda event: warnings.append(getattr(event, "text", "")))
    flow.context = replace(flow.context, events=events)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            linked.deploy("api-access")

    return check(flow, ["api-access"], wait_seconds=60, sleep=sleep)


def test_an_expired_token_within_the_wait_is_a_warning(account, failing):
    warnings: list[str] = []
    failing("ExpiredToken")
    report = waited(account, warnings)
    assert report.areas[Area.API_ACCESS] is Status.PASS
    assert any("tried again until the wait ends" in text for text in warnings)


def test_a_denied_access_within_the_wait_ends_it(account, failing):
    failing("AccessDenied")
    with pytest.raises(AwsError, match="access denied"):
        waited(account, [])
