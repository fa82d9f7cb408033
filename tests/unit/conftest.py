"""Fixtures of the unit tests: plain values, no network.

Generated input is the same in every run, so that a red build says something about the change;
``HYPOTHESIS_PROFILE=search`` looks for new input, as ``make fuzz`` does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from orchestrator.config.load import load
from orchestrator.model.registration import Registration

# No deadlines: how busy the machine is says nothing about the change.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("search", derandomize=False, deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True)
def without_octo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever credentials for Octo's API the machine holds, none is used."""
    monkeypatch.setenv("OCTO_TF_OCTO", "false")


@pytest.fixture
def registered(tmp_path: Path):
    """Makes a Registration from fields, over a minimal valid one."""

    def make(**fields: Any) -> Registration:
        flags = {"account_id": "111122223333", "external_id": "octo-external-id", **fields}
        return load(tmp_path / "absent.yaml", flags, {})

    return make
