"""A verification beside the plan counts only where nothing changed and everything passed."""

from __future__ import annotations

import threading

from orchestrator.lookahead import beside
from orchestrator.verify.model import Status
from tests.unit.test_report import report_of

PASS = report_of(Status.PASS, Status.PASS)


def test_it_runs_while_the_block_does():
    began, planned = threading.Event(), threading.Event()

    def look(_known):
        began.set()
        assert planned.wait(5)
        return PASS

    with beside({"a": 1}, look) as outcome:
        assert began.wait(5)
        planned.set()
        assert outcome({"a": 1}) is PASS


def test_other_outputs_do_not_count():
    with beside({"a": 1}, lambda _: PASS) as outcome:
        assert outcome({"a": 2}) is None


def test_only_a_pass_counts():
    for status in (Status.FAIL, Status.PENDING):
        with beside({"a": 1}, lambda _, s=status: report_of(Status.PASS, s)) as outcome:
            assert outcome({"a": 1}) is None


def test_an_error_only_means_that_the_usual_verification_follows():
    def look(_known):
        raise RuntimeError("no network")

    with beside({"a": 1}, look) as outcome:
        assert outcome({"a": 1}) is None


def test_nothing_known_is_nothing_looked_at():
    with beside({}, lambda _: 1 / 0) as outcome:
        assert outcome({}) is None
