"""The sandbox answers as AWS did, but for differences that are listed with their reason."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from orchestrator.sandbox import Sandbox, control
from tests.contract.sandbox.recorded import RECORDED, Replay, differences
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(900)  # thousands of calls in one fixture

# The differences that stay, by call: what differs, and why. The list may only shrink: an entry
# whose difference is gone fails the test.
KNOWN = json.loads(Path(__file__).with_name("known_differences.json").read_text())


@pytest.fixture(scope="module")
def found(sandbox: Sandbox, tmp_path_factory) -> dict[str, list[str]]:
    """The differences of every recorded call, in a sandbox that is then as it was."""

    def pace(seconds: float) -> None:
        client = boto3.Session(profile_name="payer").client("cloudformation")
        sandbox.state.stack_seconds = seconds
        running = list(sandbox.state.stack_sets.values())

        def settled() -> bool:
            client.list_stack_sets()  # each call advances what is running
            return not any(s.running for sets in running for s in sets.values())

        if not seconds:
            wait_until(settled, "every operation of a StackSet has ended")

    control.snapshot(sandbox.endpoint_url, "before the recorded calls")
    compared = {}
    for calls in RECORDED.values():
        replay = Replay(lambda profile: boto3.Session(profile_name=profile), pace)
        for call in calls:
            answer = replay.answer(call)
            if "label" in call:
                assert call["label"] not in compared, f"two calls are called {call['label']!r}"
                compared[call["label"]] = differences(call["aws"], answer)
        control.restore(sandbox.endpoint_url, "before the recorded calls")
    return compared


def test_only_the_listed_differences_from_aws_are_left(found, record_property) -> None:
    left = {label: sorted(what) for label, what in found.items() if what}
    record_property(
        "counted",
        f"sandbox: {len(found)} answers compared with AWS's: {len(found) - len(left)} agree,"
        f" {len(left)} differ as listed",
    )
    listed = {label: sorted(entry["differences"]) for label, entry in KNOWN.items()}
    assert left == listed


def test_every_listed_difference_says_why_it_stays() -> None:
    assert all(entry["reason"] for entry in KNOWN.values())
