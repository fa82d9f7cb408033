"""Many generated organizations, other ones in each run: ``make organizations``.

``OCTO_TF_SEED`` repeats a run from its first seed, ``OCTO_TF_ORGANIZATIONS`` says how many.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import boto3
import pytest

from orchestrator.sandbox import Sandbox, control
from tests import guardrails

FIRST = int(os.environ.get("OCTO_TF_SEED") or secrets.randbelow(10**6))
COUNT = int(os.environ.get("OCTO_TF_ORGANIZATIONS") or 100)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory) -> Iterator[Sandbox]:
    with Sandbox.start(linked=6, delivery="manual") as running, pytest.MonkeyPatch.context() as p:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            p.delenv(name, raising=False)
        for name, value in running.environment(tmp_path_factory.mktemp("aws")).items():
            p.setenv(name, value)
        control.snapshot(running.endpoint_url, "before")
        yield running


CHECKS = (guardrails.check_prediction, guardrails.check_exemptions)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("number", range(COUNT))
def test_prediction_and_outcome_agree(sandbox, number, check):
    seed = FIRST + number
    print(f"OCTO_TF_SEED={seed} OCTO_TF_ORGANIZATIONS=1 repeats it")
    try:
        payer, octo = (
            boto3.Session(profile_name=name, region_name="us-east-1") for name in ("payer", "octo")
        )
        check(payer, octo, seed)
    finally:
        control.restore(sandbox.endpoint_url, "before")
