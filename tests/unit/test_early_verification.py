"""A verification beside the plan counts only where nothing changed and everything passed."""

from __future__ import annotations

import threading

import pytest

from orchestrator.app.early_verification import EarlyVerification
from orchestrator.verify.model import Status
from tests.unit.test_report import report_of

PASS = report_of(Status.PASS, Status.PASS)


def test_it_begins_at_once_and_the_report_waits_for_it():
    began, planned = threading.Event(), threading.Event()

    def verify(_known):
        began.set()
        assert planned.wait(60)
        return PASS

    early = EarlyVerification({"a": 1}, verify)
    assert began.wait(60)
    planned.set()
    assert early.report({"a": 1}) is PASS


def test_other_outputs_do_not_count_and_are_not_waited_for():
    planned, verified = threading.Event(), threading.Event()

    def verify(_known):
        planned.wait(60)
        verified.set()
        return PASS

    early = EarlyVerification({"a": 1}, verify)
    assert early.report({"a": 2}) is None
    assert not verified.is_set()
    planned.set()


@pytest.mark.parametrize("status", [Status.FAIL, Status.PENDING])
def test_only_a_pass_counts(status):
    assert (
        EarlyVerification({"a": 1}, lambda _: report_of(Status.PASS, status)).report({"a": 1})
        is None
    )


def test_an_error_only_means_that_the_usual_verification_follows():
    assert EarlyVerification({"a": 1}, lambda _: 1 / 0).report({"a": 1}) is None


def test_nothing_known_is_nothing_verified():
    verified = []
    assert EarlyVerification({}, verified.append).report({}) is None
    assert verified == []
