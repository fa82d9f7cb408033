"""What is predicted of an organization's policies, compared with what the sandbox then does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.sandbox import control
from tests import guardrails

SEEDS = range(12)  # `make organizations` takes others, and many more


@pytest.fixture
def restored(sandbox) -> Iterator[None]:
    control.snapshot(sandbox.endpoint_url, "before")
    yield
    control.restore(sandbox.endpoint_url, "before")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_account_that_fails_was_predicted_and_every_prediction_fails(session, restored, seed):
    organization = guardrails.Organization(session("payer"), session("octo"), seed)
    organization.build()
    predicted = organization.predict()
    outcome = organization.deploy()
    assert guardrails.compare(predicted, outcome) == []
